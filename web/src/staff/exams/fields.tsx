"use client";
/** What the sections of the form share: the fields by name with their complaints, and values that stay as they are. */
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { TextField } from "@/ui";
import { type Draft, MOST, type Name } from "./draft";
import styles from "./exams.module.css";
import type { ExamForm } from "./useExamForm";

export interface SectionProps {
  form: ExamForm;
  /** The paper is frozen: only some settings may still change. */
  frozen: boolean;
  /** What is wrong with a field, in words: what the form sees, or the server said. */
  complaint: (name: Name | string) => string | undefined;
}

/** `told`: the server's sentences by field. */
export function useComplaint(form: ExamForm, told: Record<string, string>): SectionProps["complaint"] {
  const t = useTranslations("builder.fault");
  const limits: Record<string, { least: number; most: number }> = {
    duration_minutes: { least: 1, most: MOST.duration_minutes },
    grace_seconds: { least: 0, most: MOST.grace_seconds },
    max_attempts: { least: 1, most: MOST.max_attempts },
  };
  return (name) => {
    const fault = form.faults[name as Name];
    if (fault) return t(fault, limits[name] ?? { least: 0, most: 100 });
    return told[name];
  };
}

type TextName = { [One in Name]: Draft[One] extends string ? One : never }[Name];

interface NumberProps extends SectionProps {
  name: TextName;
  label: ReactNode;
  hint?: ReactNode;
  max?: number;
  step?: number;
}

export function NumberField({ form, frozen, complaint, name, label, hint, max, step }: NumberProps) {
  if (frozen) return <Fixed label={label}>{form.draft[name]}</Fixed>;
  return (
    <TextField
      label={label}
      hint={hint}
      error={complaint(name)}
      type="number"
      min={0}
      max={max}
      step={step ?? 1}
      value={form.draft[name]}
      onChange={(event) => form.set({ [name]: event.target.value })}
    />
  );
}

export function Fixed({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <dl className={styles.fixed}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </dl>
  );
}

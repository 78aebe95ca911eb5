"use client";
import { type ComponentProps, type ReactNode, useId } from "react";
import styles from "./ui.module.css";

interface Told {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
}

function useTold({ hint, error }: Told) {
  const id = useId();
  const describedBy =
    [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  return {
    id,
    control: { id, "aria-describedby": describedBy, "aria-invalid": error ? true : undefined } as const,
  };
}

function Frame({ id, label, hint, error, children }: Told & { id: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      {hint ? (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      ) : null}
      {children}
      {error ? (
        <span id={`${id}-error`} className={styles.error} role="alert">
          {error}
        </span>
      ) : null}
    </div>
  );
}

export function TextField({ label, hint, error, ...rest }: Told & ComponentProps<"input">) {
  const { id, control } = useTold({ label, hint, error });
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input {...rest} {...control} className={styles.input} />
    </Frame>
  );
}

export function TextArea({ label, hint, error, ...rest }: Told & ComponentProps<"textarea">) {
  const { id, control } = useTold({ label, hint, error });
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <textarea {...rest} {...control} className={styles.input} />
    </Frame>
  );
}

export function Select({ label, hint, error, children, ...rest }: Told & ComponentProps<"select">) {
  const { id, control } = useTold({ label, hint, error });
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <select {...rest} {...control} className={styles.input}>
        {children}
      </select>
    </Frame>
  );
}

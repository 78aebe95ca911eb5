"use client";
import { useId } from "react";
import { useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import { type useFilters, useTyped } from "@/staff/useFilters";
import { Button, Select, TextField } from "@/ui";
import styles from "./bank.module.css";
import { TYPES } from "./types";

export const FILTERS = ["q", "category", "tag", "type"] as const;
type Filters = ReturnType<typeof useFilters<(typeof FILTERS)[number]>>;

export function BankFilters({ filters, questions }: { filters: Filters; questions: Question[] }) {
  const t = useTranslations("bank");
  const { values, set } = filters;
  const [q, typeQ] = useTyped(values.q, (text) => set({ q: text }));
  const filtered = FILTERS.some((name) => values[name]);
  return (
    <search className={styles.filters}>
      <TextField
        label={t("search")}
        type="search"
        maxLength={200}
        value={q}
        onChange={({ target }) => typeQ(target.value)}
      />
      <Exact
        label={t("category")}
        value={values.category}
        onChange={(category) => set({ category })}
        known={questions.map((one) => one.category)}
      />
      <Exact
        label={t("tag")}
        value={values.tag}
        onChange={(tag) => set({ tag })}
        known={questions.flatMap((one) => one.tags)}
      />
      <Select label={t("type")} value={values.type} onChange={({ target }) => set({ type: target.value })}>
        <option value="">{t("anyType")}</option>
        {TYPES.map((one) => (
          <option key={one} value={one}>
            {t(`types.${one}`)}
          </option>
        ))}
      </Select>
      {filtered ? (
        <Button look="quiet" onClick={() => set({ q: "", category: "", tag: "", type: "" })}>
          {t("clearFilters")}
        </Button>
      ) : null}
    </search>
  );
}

interface ExactProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** What the questions at hand have, to choose from. */
  known: string[];
}

/** The API looks for the very category and tag. */
function Exact({ label, value, onChange, known }: ExactProps) {
  const id = useId();
  const [typed, type] = useTyped(value, onChange);
  const choices = [...new Set(known)].filter(Boolean).sort();
  return (
    <div>
      <TextField
        label={label}
        list={id}
        maxLength={200}
        value={typed}
        onChange={({ target }) => type(target.value)}
      />
      <datalist id={id}>
        {choices.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </div>
  );
}

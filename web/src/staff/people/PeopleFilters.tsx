"use client";
import { useId } from "react";
import { useTranslations } from "use-intl";
import { type useFilters, useTyped } from "@/staff/useFilters";
import { Button, Select, TextField } from "@/ui";
import styles from "./people.module.css";
import { RoleOptions } from "./RoleOptions";

export const FILTERS = ["q", "role", "group", "state"] as const;

interface Props {
  filters: ReturnType<typeof useFilters<(typeof FILTERS)[number]>>;
  /** Of the people at hand, to choose from. */
  groups: string[];
}

export function PeopleFilters({ filters, groups }: Props) {
  const t = useTranslations("people");
  const { values, set } = filters;
  const list = useId();
  const [q, typeQ] = useTyped(values.q, (text) => set({ q: text }));
  const [group, typeGroup] = useTyped(values.group, (text) => set({ group: text }));
  return (
    <search className={styles.filters}>
      <TextField
        label={t("search")}
        type="search"
        maxLength={200}
        value={q}
        onChange={({ target }) => typeQ(target.value)}
      />
      <Select label={t("role")} value={values.role} onChange={({ target }) => set({ role: target.value })}>
        <option value="">{t("anyRole")}</option>
        <RoleOptions />
      </Select>
      <div>
        <TextField
          label={t("group")}
          list={list}
          maxLength={100}
          value={group}
          onChange={({ target }) => typeGroup(target.value)}
        />
        <datalist id={list}>
          {[...new Set(groups)].sort().map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </div>
      <Select label={t("state")} value={values.state} onChange={({ target }) => set({ state: target.value })}>
        <option value="">{t("anyState")}</option>
        <option value="active">{t("active")}</option>
        <option value="inactive">{t("inactive")}</option>
      </Select>
      {FILTERS.some((name) => values[name]) ? (
        <Button look="quiet" onClick={() => set({ q: "", role: "", group: "", state: "" })}>
          {t("clearFilters")}
        </Button>
      ) : null}
    </search>
  );
}

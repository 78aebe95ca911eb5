"use client";
import { useFormatter, useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import styles from "./imports.module.css";

export function Counts({ job }: { job: Job }) {
  const t = useTranslations("imports.counts");
  const format = useFormatter();
  const when = job.dry_run ? "would" : "did";
  const counts = [
    [t("rows"), job.total_rows],
    [t(`${when}Import`), job.imported],
    [t(`${when}Update`), job.updated],
    [t(`${when}Skip`), job.skipped],
    [t("errors"), job.error_count],
  ] as const;
  return (
    <dl className={styles.counts}>
      {counts.map(([name, count]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{format.number(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

"use client";
import { useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import { Hint, Progress, Stack } from "@/ui";

export function JobProgress({ job }: { job: Job }) {
  const t = useTranslations("imports");
  // While the rows are read and judged, their number is not known.
  const storing = job.total_rows > 0;
  return (
    <Stack>
      <p role="status">
        {job.status === "queued" ? t("waiting") : storing && !job.dry_run ? t("storing") : t("checking")}
      </p>
      <Progress label={t("progress")} value={storing ? job.processed_rows / job.total_rows : null} />
      {storing ? <Hint>{t("progressRows", { done: job.processed_rows, total: job.total_rows })}</Hint> : null}
    </Stack>
  );
}

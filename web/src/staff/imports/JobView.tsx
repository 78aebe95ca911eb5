"use client";
/** One import: how far it is, what it made of the rows, and what is wrong with those that failed. */
import { useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import type { Upload } from "@/api/staff-content";
import { useMoment } from "@/i18n/when";
import { BackLink } from "@/staff/BackLink";
import { Badge, Card, Hint, Loading, Note, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { Counts } from "./Counts";
import { DownloadButton } from "./DownloadButton";
import { FailedRows } from "./FailedRows";
import styles from "./imports.module.css";
import { JobBadge } from "./JobBadge";
import { JobProgress } from "./JobProgress";
import { NextStep } from "./NextStep";
import { Said } from "./Said";
import type { Sending } from "./sending";
import { hasEnded, useJob } from "./useJob";

interface Props {
  importId: string;
  /** What was sent for this job, where that was a moment ago. */
  upload: Upload | null;
  again: boolean;
  sending: Sending;
}

export function JobView({ importId, upload, again, sending }: Props) {
  const t = useTranslations("imports");
  const c = useTranslations("common");
  const { data: job, error, refetch } = useJob(importId);
  if (!job) {
    return error ? <Problem error={error} onRetry={refetch} /> : <Loading>{c("loading")}</Loading>;
  }
  return (
    <Stack>
      <BackLink href="/admin/imports/">{t("toAll")}</BackLink>
      <Heading job={job} />
      {again ? <Note tone="warn">{t("again")}</Note> : null}
      <Card>
        <Stack>
          {hasEnded(job) ? <Outcome job={job} /> : <JobProgress job={job} />}
          {hasEnded(job) && job.total_rows > 0 ? <Counts job={job} /> : null}
          <NextStep job={job} upload={upload} sending={sending} />
        </Stack>
      </Card>
      {hasEnded(job) && job.error_count > 0 ? <Errors job={job} /> : null}
    </Stack>
  );
}

function Heading({ job }: { job: Job }) {
  const t = useTranslations("imports");
  const moment = useMoment();
  return (
    <div className={styles.heading}>
      <PageTitle>
        <bdi>{job.filename}</bdi>
      </PageTitle>
      <Row>
        <JobBadge job={job} />
        <Badge>{t(job.kind)}</Badge>
        <Badge>{t(job.on_error === "skip_rows" ? "skipRows" : "rejectFile")}</Badge>
        <Hint>{t("startedAt", { at: moment(job.created_at) ?? "" })}</Hint>
      </Row>
    </div>
  );
}

function Outcome({ job }: { job: Job }) {
  const t = useTranslations("imports");
  if (job.failure) {
    const { code, detail } = job.failure;
    return (
      <Note tone="bad" live>
        <p>
          <strong>{t.has(`codes.${code}`) ? t(`codes.${code}`) : t("failed")}</strong>
        </p>
        <Said text={detail} />
      </Note>
    );
  }
  if (job.dry_run) {
    const clean = job.error_count === 0;
    return (
      <Note tone={clean ? "good" : "warn"} live>
        {clean ? t("checkedClean") : t("checkedErrors", { count: job.error_count })}
      </Note>
    );
  }
  return (
    <Note tone={job.skipped ? "warn" : "good"} live>
      {t("imported", { count: job.imported + job.updated })}
      {job.skipped ? ` ${t("skippedSome", { count: job.skipped })}` : ""}
    </Note>
  );
}

function Errors({ job }: { job: Job }) {
  const t = useTranslations("imports");
  const stem = job.filename.replace(/\.[^.]*$/, "") || job.filename;
  return (
    <section>
      <Stack>
        <h2>{t("errors", { count: job.error_count })}</h2>
        <Row>
          <DownloadButton
            url={`/api/v1/admin/imports/${job.id}/errors.xlsx`}
            filename={`${stem}-errors.xlsx`}
          >
            {t("errorWorkbook")}
          </DownloadButton>
          <Hint>{t("errorWorkbookHint")}</Hint>
        </Row>
        <FailedRows importId={job.id} />
      </Stack>
    </section>
  );
}

"use client";
/** After a check: importing what was checked. After an import: to what came of it. */
import { useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import type { Upload } from "@/api/staff-content";
import { Button, ButtonLink, Hint, Row, Stack } from "@/ui";
import { SendProblem } from "./SendProblem";
import type { Sending } from "./sending";
import { hasEnded } from "./useJob";

interface Props {
  job: Job;
  upload: Upload | null;
  sending: Sending;
}

export function NextStep({ job, upload, sending }: Props) {
  const t = useTranslations("imports");
  if (!hasEnded(job)) return null;
  if (job.dry_run && job.status === "completed" && upload) {
    return <ImportForReal job={job} upload={upload} sending={sending} />;
  }
  const done = job.status === "completed" && !job.dry_run;
  return (
    <Stack>
      {job.dry_run && !job.failure ? <Hint>{t("chooseAgain")}</Hint> : null}
      <Row>
        {done ? (
          <ButtonLink look="primary" href={job.kind === "users" ? "/admin/people/" : "/admin/questions/"}>
            {job.kind === "users" ? t("toPeople") : t("toBank")}
          </ButtonLink>
        ) : null}
        <ButtonLink href="/admin/imports/">{t("another")}</ButtonLink>
      </Row>
    </Stack>
  );
}

function ImportForReal({ job, upload, sending }: { job: Job; upload: Upload; sending: Sending }) {
  const t = useTranslations("imports");
  const wrong = job.error_count > 0;
  const rejected = wrong && upload.onError === "reject_file";
  const nothing = !rejected && job.imported + job.updated === 0;
  const go = () => sending.start({ ...upload, onError: wrong ? "skip_rows" : upload.onError, dryRun: false });
  return (
    <Stack>
      {sending.problem ? <SendProblem error={sending.problem} /> : null}
      {rejected ? <Hint>{t("rejectedHint")}</Hint> : null}
      <Row>
        {nothing ? null : (
          <Button look={rejected ? "plain" : "primary"} busy={sending.busy} onClick={go}>
            {sending.busy
              ? t("sending")
              : rejected
                ? t("importGood")
                : t("importReal", { count: job.imported + job.updated })}
          </Button>
        )}
        <ButtonLink href="/admin/imports/">{wrong ? t("corrected") : t("another")}</ButtonLink>
      </Row>
    </Stack>
  );
}

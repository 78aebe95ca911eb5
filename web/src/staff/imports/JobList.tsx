"use client";
/** All imports, the newest first. */
import Link from "next/link";
import { useFormatter, useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import { useImportPagesInfiniteQuery } from "@/api/staff-content";
import { useMoment } from "@/i18n/when";
import { Button, Hint, Loading, Stack, Table } from "@/ui";
import { Problem } from "@/ui/Problem";
import { JobBadge } from "./JobBadge";

export function JobList() {
  const t = useTranslations("imports");
  const c = useTranslations("common");
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useImportPagesInfiniteQuery();
  const jobs = data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section>
      <Stack>
        <h2>{t("jobs")}</h2>
        {error ? <Problem error={error} onRetry={refetch} /> : null}
        {!data && !error ? <Loading>{c("loading")}</Loading> : null}
        {data && !jobs.length ? <Hint>{t("noJobs")}</Hint> : null}
        {jobs.length ? (
          <Table
            caption={t("jobs")}
            head={[
              t("fileName"),
              t("contents"),
              t("state"),
              t("counts.rows"),
              t("counts.errors"),
              t("started"),
            ]}
          >
            {jobs.map((job) => (
              <JobRow key={job.id} job={job} />
            ))}
          </Table>
        ) : null}
        {hasNextPage ? (
          <div>
            <Button busy={isFetchingNextPage} onClick={() => fetchNextPage()}>
              {c("more")}
            </Button>
          </div>
        ) : null}
      </Stack>
    </section>
  );
}

function JobRow({ job }: { job: Job }) {
  const t = useTranslations("imports");
  const format = useFormatter();
  const moment = useMoment();
  return (
    <tr>
      <th scope="row">
        <Link href={`/admin/imports/?job=${job.id}`} prefetch={false}>
          <bdi>{job.filename}</bdi>
        </Link>
      </th>
      <td>{t(job.kind)}</td>
      <td>
        <JobBadge job={job} />
      </td>
      <td>{format.number(job.total_rows)}</td>
      <td>{format.number(job.error_count)}</td>
      <td>{moment(job.created_at)}</td>
    </tr>
  );
}

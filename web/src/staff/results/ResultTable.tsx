"use client";
/** Every attempt of an exam: who, where it stands, the score. */
import Link from "next/link";
import { useFormatter, useTranslations } from "use-intl";
import type { Exam, Result } from "@/api/staff.gen";
import { useResultPagesInfiniteQuery } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { Badge, Button, Card, Hint, Loading, Row, Stack, Table } from "@/ui";
import { Problem } from "@/ui/Problem";
import exams from "../exams/exams.module.css";
import { ResultStatus } from "./ResultStatus";
import styles from "./results.module.css";

export function ResultTable({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.results");
  const c = useTranslations("common");
  const { data, error, isLoading, isFetching, refetch, hasNextPage, fetchNextPage } =
    useResultPagesInfiniteQuery({ examId: exam.id }, { refetchOnMountOrArgChange: true });
  if (isLoading) return <Loading>{c("loading")}</Loading>;
  if (error && !data) return <Problem error={error} onRetry={refetch} />;
  const results = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Card>
      <Stack>
        <div className={exams.headline}>
          <h2>{t("title")}</h2>
          <Button small busy={isFetching} onClick={() => refetch()}>
            {t("refresh")}
          </Button>
        </div>
        {results.length ? (
          <Table
            caption={t("title")}
            head={[t("student"), t("status"), t("score"), t("pending"), t("ended")]}
          >
            {results.map((one) => (
              <ResultRow key={one.student_exam_id} result={one} />
            ))}
          </Table>
        ) : (
          <Hint>{t("none")}</Hint>
        )}
        {error ? <Problem error={error} onRetry={refetch} /> : null}
        {results.length ? (
          <Row>
            <span className={exams.soft}>
              {t(hasNextPage ? "shownSoFar" : "shown", { count: results.length })}
            </span>
            {hasNextPage ? (
              <Button small busy={isFetching} onClick={() => fetchNextPage()}>
                {c("more")}
              </Button>
            ) : null}
          </Row>
        ) : null}
      </Stack>
    </Card>
  );
}

function ResultRow({ result }: { result: Result }) {
  const t = useTranslations("builder.results");
  const moment = useMoment();
  const name = result.student_name || result.student_email || result.student_id;
  return (
    <tr>
      <td className={styles.student}>
        <span className={exams.who}>
          <Link
            href={`/admin/exams/results/?id=${result.exam_id}&attempt=${result.student_exam_id}`}
            prefetch={false}
            dir="auto"
          >
            {name}
          </Link>
          <span className={exams.soft}>
            {result.student_name ? result.student_email : null}
            {result.attempt_no > 1 ? ` ${t("attempt", { number: result.attempt_no })}` : null}
          </span>
        </span>
      </td>
      <td>
        <ResultStatus status={result.status} />
      </td>
      <td className={styles.number}>
        <Score result={result} />
      </td>
      <td>
        {result.pending_count ? (
          <Badge tone="warn">{t("pendingCount", { count: result.pending_count })}</Badge>
        ) : (
          "–"
        )}
      </td>
      <td className={styles.when}>{moment(result.submitted_at) ?? "–"}</td>
    </tr>
  );
}

export function Score({ result }: { result: Pick<Result, "total_score" | "max_possible" | "percentage"> }) {
  const t = useTranslations("builder.results");
  const format = useFormatter();
  const { total_score, max_possible, percentage } = result;
  if (total_score === null || max_possible === null) return "–";
  const share =
    percentage === null
      ? ""
      : format.number(percentage / 100, { style: "percent", maximumFractionDigits: 1 });
  return (
    <>
      {t("of", { score: total_score, most: max_possible })} <span className={exams.soft}>{share}</span>
    </>
  );
}

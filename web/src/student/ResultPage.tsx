"use client";
/** One result, as far as the exam's policy shows it. While it is being graded the page asks again by itself. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import { useGetMyResultQuery } from "@/api/student";
import type { MyResult } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { Badge, ButtonLink, Card, Hint, Loading, Note, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { usePatience } from "./polling";
import { Receipt } from "./Receipt";
import { ResultItems } from "./ResultItems";
import { Standing } from "./Standing";
import { useScore } from "./score";
import styles from "./student.module.css";

export function ResultPage({ attemptId }: { attemptId: string }) {
  const t = useTranslations("results");
  const c = useTranslations("common");
  const [pollingInterval, setPollingInterval] = useState(0);
  const { data, error, refetch, fulfilledTimeStamp } = useGetMyResultQuery(
    { studentExamId: attemptId },
    { pollingInterval, skipPollingIfUnfocused: true, refetchOnFocus: true, refetchOnMountOrArgChange: true },
  );
  const wait = usePatience(data?.grading === "pending", fulfilledTimeStamp);
  if (wait !== pollingInterval) setPollingInterval(wait);
  return (
    <div className={styles.page}>
      <PageTitle>{data?.exam_title ? <bdi>{data.exam_title}</bdi> : t("one")}</PageTitle>
      {error ? <Refused error={error} onRetry={refetch} /> : null}
      {data ? <Found result={data} /> : error ? null : <Loading>{c("loading")}</Loading>}
      {data || error ? (
        <Row>
          <ButtonLink href="/results/">{t("toResults")}</ButtonLink>
          <ButtonLink href="/">{t("toExams")}</ButtonLink>
        </Row>
      ) : null}
    </div>
  );
}

function Refused({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const t = useTranslations("results");
  const code = isProblem(error) ? error.code : null;
  if (code === "results_not_released") return <Note live>{t("notReleased")}</Note>;
  if (code === "not_found") return <Note live>{t("unknown")}</Note>;
  return <Problem error={error} onRetry={onRetry} />;
}

function Found({ result }: { result: MyResult }) {
  const t = useTranslations("results");
  return (
    <>
      <Card>
        <Stack>
          <Overview result={result} />
          {/* Read out when it changes: the person waits for it. */}
          <div role="status">
            <Told result={result} />
          </div>
          <Receipt attemptId={result.student_exam_id} />
        </Stack>
      </Card>
      {result.results.length ? (
        <section className={styles.group} aria-labelledby="questions-title">
          <h2 id="questions-title">{t("questions")}</h2>
          <ResultItems items={result.results} />
        </section>
      ) : result.released && result.grading === "complete" ? (
        <Hint>{t("scoreOnly")}</Hint>
      ) : null}
    </>
  );
}

function Overview({ result }: { result: MyResult }) {
  const t = useTranslations("results");
  const moment = useMoment();
  const score = useScore();
  return (
    <dl className={styles.summary}>
      {result.total_score !== null ? (
        <div>
          <dt>{t("score")}</dt>
          <dd className={styles.score}>{score(result)}</dd>
        </div>
      ) : null}
      <div>
        <dt>{t("standing")}</dt>
        <dd>
          <Row>
            <Badge tone={result.status === "submitted" ? "good" : "warn"}>
              {t(`status.${result.status}`)}
            </Badge>
            <Standing result={result} />
          </Row>
        </dd>
      </div>
      <div>
        <dt>{t("when")}</dt>
        <dd>{moment(result.submitted_at)}</dd>
      </div>
      {result.attempt_no > 1 ? (
        <div>
          <dt>{t("attemptTitle")}</dt>
          <dd>{result.attempt_no}</dd>
        </div>
      ) : null}
    </dl>
  );
}

/** What is still to come. */
function Told({ result }: { result: MyResult }) {
  const t = useTranslations("results");
  if (result.grading === "pending" && result.pending_count === 0) return <Note>{t("gradingText")}</Note>;
  if (!result.released) return <Note>{t("notReleased")}</Note>;
  if (result.pending_count > 0) {
    return <Note tone="warn">{t("markingText", { count: result.pending_count })}</Note>;
  }
  return null;
}

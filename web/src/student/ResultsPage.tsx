"use client";
/** My results: the list, or with `?attempt=` one of them. */
import { useSearchParams } from "next/navigation";
import { useTranslations } from "use-intl";
import { useMyResultsQuery } from "@/api/student";
import type { MyResultSummary } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { ButtonLink, Card, Loading, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { FRESH } from "./fresh";
import { ResultPage } from "./ResultPage";
import { Standing } from "./Standing";
import { useScore } from "./score";
import styles from "./student.module.css";

export function ResultsPage() {
  const attempt = useSearchParams().get("attempt");
  return attempt ? <ResultPage key={attempt} attemptId={attempt} /> : <Results />;
}

function Results() {
  const t = useTranslations("results");
  const c = useTranslations("common");
  const { data, error, refetch } = useMyResultsQuery(undefined, FRESH);
  return (
    <div className={styles.page}>
      <PageTitle>{t("title")}</PageTitle>
      {error ? <Problem error={error} onRetry={refetch} /> : null}
      {data ? (
        data.length ? (
          data.map((one) => <Summary key={one.student_exam_id} result={one} />)
        ) : (
          <Card>
            <Stack>
              <p>{t("none")}</p>
              <Row>
                <ButtonLink href="/">{t("toExams")}</ButtonLink>
              </Row>
            </Stack>
          </Card>
        )
      ) : error ? null : (
        <Loading>{c("loading")}</Loading>
      )}
    </div>
  );
}

function Summary({ result }: { result: MyResultSummary }) {
  const t = useTranslations("results");
  const moment = useMoment();
  const score = useScore();
  const titleId = `result-${result.student_exam_id}`;
  return (
    <Card>
      <article className={styles.exam} aria-labelledby={titleId}>
        <div className={styles.examHead}>
          <h2 id={titleId} dir="auto">
            {result.exam_title ?? t("untitled")}
          </h2>
          <Standing result={result} />
        </div>
        <ul className={styles.facts}>
          {result.total_score !== null ? <li>{score(result)}</li> : null}
          <li>{t(`ended.${result.status}`, { time: moment(result.submitted_at) ?? "" })}</li>
          {result.attempt_no > 1 ? <li>{t("attempt", { number: result.attempt_no })}</li> : null}
        </ul>
        <Row>
          <ButtonLink href={`/results/?attempt=${result.student_exam_id}`} describedBy={titleId}>
            {t("look")}
          </ButtonLink>
        </Row>
      </article>
    </Card>
  );
}

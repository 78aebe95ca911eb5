"use client";
/** One attempt in full: each question, what was answered, what is right, the score. */
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { Exam, FullResult, FullResultItem, Question } from "@/api/staff.gen";
import { useGetFullResultQuery, useGetUserQuery } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { RichText } from "@/text/RichText";
import { Badge, Card, Hint, Loading, Stack, type Tone } from "@/ui";
import { Problem } from "@/ui/Problem";
import { BackLink } from "../BackLink";
import exams from "../exams/exams.module.css";
import { useQuestions } from "../exams/useQuestions";
import { AnswerView, KeyView } from "./AnswerView";
import { ResultStatus } from "./ResultStatus";
import { Score } from "./ResultTable";
import styles from "./results.module.css";

export function AttemptResult({ exam, studentExamId }: { exam: Exam; studentExamId: string }) {
  const t = useTranslations("builder.results");
  const c = useTranslations("common");
  const { currentData, error, refetch } = useGetFullResultQuery({ studentExamId });
  return (
    <>
      <BackLink href={`/admin/exams/results/?id=${exam.id}`}>{t("toAll")}</BackLink>
      {error && !currentData ? <Problem error={error} onRetry={refetch} /> : null}
      {!currentData && !error ? <Loading>{c("loading")}</Loading> : null}
      {currentData ? <Full result={currentData} /> : null}
    </>
  );
}

function Full({ result }: { result: FullResult }) {
  const t = useTranslations("builder.results");
  const questions = useQuestions(
    useMemo(() => result.results.map((one) => one.question_id), [result.results]),
  );
  return (
    <>
      <Head result={result} />
      {result.results.length ? <Hint>{t("textsOfToday")}</Hint> : <Hint>{t("notGraded")}</Hint>}
      {questions.problem ? <Problem error={questions.problem} onRetry={questions.retry} /> : null}
      <ol className={styles.items}>
        {result.results.map((item, place) => (
          <Item
            key={item.question_id}
            item={item}
            number={place + 1}
            question={questions.known.get(item.question_id)}
          />
        ))}
      </ol>
    </>
  );
}

function Head({ result }: { result: FullResult }) {
  const t = useTranslations("builder.results");
  const moment = useMoment();
  const [start, end] = [moment(result.started_at), moment(result.submitted_at)];
  return (
    <Card>
      <Stack>
        <div className={styles.itemHead}>
          <h2 dir="auto">{result.student_name || result.student_email || result.student_id}</h2>
          <ResultStatus status={result.status} />
        </div>
        <div className={exams.facts}>
          {result.student_email ? <span>{result.student_email}</span> : null}
          <span>{t("attempt", { number: result.attempt_no })}</span>
          {start ? <span>{t("startedAt", { at: start })}</span> : null}
          {end ? <span>{t("endedAt", { at: end })}</span> : null}
        </div>
        <p className={exams.total}>
          <span>
            {t("score")}: <Score result={result} />
          </span>
          {result.pending_count ? (
            <Badge tone="warn">{t("waiting", { count: result.pending_count })}</Badge>
          ) : null}
        </p>
      </Stack>
    </Card>
  );
}

function standing(item: FullResultItem): ["pending" | "excluded" | "right" | "partly" | "wrong", Tone] {
  if (item.status === "pending") return ["pending", "warn"];
  if (item.status === "excluded") return ["excluded", "plain"];
  if (item.is_correct) return ["right", "good"];
  return item.score ? ["partly", "accent"] : ["wrong", "bad"];
}

interface ItemProps {
  item: FullResultItem;
  number: number;
  question: Question | undefined;
}

function Item({ item, number, question }: ItemProps) {
  const t = useTranslations("builder.results");
  const [word, tone] = standing(item);
  return (
    <li className={styles.item}>
      <div className={styles.itemHead}>
        <h3>{t("question", { number })}</h3>
        <span className={exams.facts}>
          <Badge tone={tone}>{t(`item.${word}`)}</Badge>
          <span className={styles.number}>{t("of", { score: item.score ?? "–", most: item.max_score })}</span>
        </span>
      </div>
      <div dir="auto">{question ? <RichText text={question.text} /> : "…"}</div>
      <dl className={styles.told}>
        <div>
          <dt>{t("answer")}</dt>
          <dd>
            <AnswerView answer={item.answer} question={question} />
          </dd>
        </div>
        {question?.key ? (
          <div>
            <dt>{t("key")}</dt>
            <dd>
              <KeyView question={question} />
            </dd>
          </div>
        ) : null}
        {item.comment ? (
          <div>
            <dt>{t("comment")}</dt>
            <dd dir="auto">{item.comment}</dd>
          </div>
        ) : null}
        {item.marked_by ? (
          <div>
            <dt>{t("markedBy")}</dt>
            <dd>
              <PersonName id={item.marked_by} />
            </dd>
          </div>
        ) : null}
      </dl>
    </li>
  );
}

function PersonName({ id }: { id: string }) {
  const { data } = useGetUserQuery({ userId: id });
  return <span dir="auto">{data?.name || data?.email || id}</span>;
}

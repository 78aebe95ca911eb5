"use client";
/** Answers that wait for a person's mark, oldest first. */
import Link from "next/link";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import { useGetExamQuery, useQueuePagesInfiniteQuery } from "@/api/staff-exams";
import { Button, Card, Hint, Loading, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import exams from "../exams/exams.module.css";
import { useQuestions } from "../exams/useQuestions";
import { useQueryState } from "../queryState";
import results from "../results/results.module.css";
import { StaffPage } from "../StaffPage";
import { MarkCard } from "./MarkCard";

export function MarkingPage() {
  const t = useTranslations("builder.marking");
  return (
    <StaffPage part="marking">
      {() => (
        <>
          <PageTitle>{t("title")}</PageTitle>
          <Hint>{t("about")}</Hint>
          <OfExam />
          <Queue />
        </>
      )}
    </StaffPage>
  );
}

function useExamFilter() {
  const [params, change] = useQueryState();
  return { examId: params.get("exam"), clear: () => change({ exam: null }) };
}

function OfExam() {
  const t = useTranslations("builder.marking");
  const { examId, clear } = useExamFilter();
  const { data } = useGetExamQuery({ examId: examId ?? "" }, { skip: !examId });
  if (!examId) return null;
  return (
    <Row>
      <span dir="auto">{t("ofExam", { title: data?.title ?? "…" })}</span>
      <Button small onClick={clear}>
        {t("allExams")}
      </Button>
      <Link href={`/admin/exams/results/?id=${examId}`} prefetch={false}>
        {t("toResults")}
      </Link>
    </Row>
  );
}

/** What was marked stays in sight until the queue is asked for again, so that a slip can be mended. */
function Queue() {
  const t = useTranslations("builder.marking");
  const c = useTranslations("common");
  const { examId } = useExamFilter();
  const { currentData, error, isFetching, refetch, hasNextPage, fetchNextPage } = useQueuePagesInfiniteQuery(
    { examId },
    { refetchOnMountOrArgChange: true },
  );
  const items = useMemo(() => currentData?.pages.flatMap((page) => page.items) ?? [], [currentData]);
  const ids = useMemo(() => [...new Set(items.map((one) => one.question_id))], [items]);
  const questions = useQuestions(ids);
  const refresh = (
    <Button small busy={isFetching} onClick={() => refetch()}>
      {t("refresh")}
    </Button>
  );
  if (error && !currentData) return <Problem error={error} onRetry={refetch} />;
  if (!currentData) return <Loading>{c("loading")}</Loading>;
  if (!items.length) {
    return (
      <Card>
        <Stack>
          <p role="status">{t("none")}</p>
          <div>{refresh}</div>
        </Stack>
      </Card>
    );
  }
  return (
    <>
      <div className={exams.headline}>
        <p role="status">{t("waiting", { count: currentData.pages[0]?.total ?? items.length })}</p>
        {refresh}
      </div>
      {questions.problem ? <Problem error={questions.problem} onRetry={questions.retry} /> : null}
      <ol className={results.items}>
        {items.map((item) => (
          <li key={`${item.student_exam_id}/${item.question_id}`}>
            <MarkCard item={item} question={questions.known.get(item.question_id)} />
          </li>
        ))}
      </ol>
      {error ? <Problem error={error} onRetry={refetch} /> : null}
      {hasNextPage ? (
        <div>
          <Button busy={isFetching} onClick={() => fetchNextPage()}>
            {c("more")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

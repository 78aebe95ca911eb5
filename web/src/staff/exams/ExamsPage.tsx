"use client";
/** All exams: search, by status, and the way to a new one. */
import Link from "next/link";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { ExamSummary } from "@/api/staff.gen";
import { useExamPagesInfiniteQuery } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { Button, Card, Loading, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { useQueryState } from "../queryState";
import { SearchField } from "../SearchField";
import { StaffPage } from "../StaffPage";
import { ExamStatus } from "./ExamStatus";
import styles from "./exams.module.css";
import { NewExam } from "./NewExam";

const STATUSES = ["draft", "published", "closed"] as const;
type Status = (typeof STATUSES)[number];

export function ExamsPage() {
  return <StaffPage part="exams">{() => <Exams />}</StaffPage>;
}

function Exams() {
  const t = useTranslations("builder");
  const [adding, setAdding] = useState(false);
  return (
    <>
      <div className={styles.headline}>
        <PageTitle>{t("list.title")}</PageTitle>
        <Button look="primary" onClick={() => setAdding(true)}>
          {t("list.new")}
        </Button>
      </div>
      <div className={styles.filters}>
        <SearchField name="q" label={t("list.search")} />
        <StatusFilter />
      </div>
      <Found onNew={() => setAdding(true)} />
      <NewExam open={adding} onClose={() => setAdding(false)} />
    </>
  );
}

function useFilter() {
  const [params, change] = useQueryState();
  const wanted = params.get("status");
  const status: Status | null = STATUSES.find((one) => one === wanted) ?? null;
  return { q: (params.get("q") ?? "").trim(), status, change };
}

function StatusFilter() {
  const t = useTranslations("builder");
  const { status, change } = useFilter();
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons that filter, no fields of a form
    <div className={styles.segments} role="group" aria-label={t("list.byStatus")}>
      {[null, ...STATUSES].map((one) => (
        <Button key={one} aria-pressed={one === status} onClick={() => change({ status: one })}>
          {t(one ? `status.${one}` : "list.all")}
        </Button>
      ))}
    </div>
  );
}

function Found({ onNew }: { onNew: () => void }) {
  const t = useTranslations("builder.list");
  const c = useTranslations("common");
  const { q, status } = useFilter();
  const { data, error, isLoading, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } =
    useExamPagesInfiniteQuery({ q, status });
  if (isLoading) return <Loading>{c("loading")}</Loading>;
  if (error && !data) return <Problem error={error} onRetry={refetch} />;
  const exams = data?.pages.flatMap(({ items }) => items) ?? [];
  if (!exams.length) {
    return (
      <Card>
        <Stack>
          <p>{q || status ? t("noneFound") : t("none")}</p>
          {q || status ? null : (
            <div>
              <Button onClick={onNew}>{t("new")}</Button>
            </div>
          )}
        </Stack>
      </Card>
    );
  }
  return (
    <>
      <ul className={styles.list} aria-label={t("title")}>
        {exams.map((exam) => (
          <ExamRow key={exam.id} exam={exam} />
        ))}
      </ul>
      {error ? <Problem error={error} onRetry={fetchNextPage} /> : null}
      {hasNextPage ? (
        <div>
          <Button busy={isFetchingNextPage} onClick={() => fetchNextPage()}>
            {c("more")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

function ExamRow({ exam }: { exam: ExamSummary }) {
  const t = useTranslations("builder.list");
  const moment = useMoment();
  const [start, end] = [moment(exam.start_time), moment(exam.end_time)];
  const window = start && end ? "between" : start ? "from" : end ? "until" : "always";
  return (
    <li className={styles.exam}>
      <div className={styles.examTitle}>
        <Link href={`/admin/exams/edit/?id=${exam.id}`} prefetch={false} dir="auto">
          {exam.title}
        </Link>
        <ExamStatus status={exam.status} />
      </div>
      <div className={styles.facts}>
        <span>{t(window, { start: start ?? "", end: end ?? "" })}</span>
        <span>{t("minutes", { count: exam.duration_minutes })}</span>
        <span>{t("questions", { count: exam.question_count })}</span>
        <span>{t("points", { count: exam.max_possible })}</span>
        {exam.attempt_count ? (
          <Link href={`/admin/exams/results/?id=${exam.id}`} prefetch={false}>
            {t("attempts", { count: exam.attempt_count })}
          </Link>
        ) : null}
      </div>
    </li>
  );
}

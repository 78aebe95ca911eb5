"use client";
/** The frame of the pages of one exam: its title, where it stands, the way between them. */
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { useGetExamQuery } from "@/api/staff-exams";
import { ButtonLink, Loading, Note } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { BackLink } from "../BackLink";
import { StaffPage } from "../StaffPage";
import { ExamStatus } from "./ExamStatus";
import styles from "./exams.module.css";

/** The monitor, regrading and statistics will be further entries. */
const PARTS = {
  edit: "/admin/exams/edit/",
  accommodations: "/admin/exams/accommodations/",
  results: "/admin/exams/results/",
} as const;

type ExamPart = keyof typeof PARTS;

interface Props {
  part: ExamPart;
  children: (exam: Exam) => ReactNode;
}

export function ExamPage({ part, children }: Props) {
  return <StaffPage part="exams">{() => <Loaded part={part}>{children}</Loaded>}</StaffPage>;
}

const SETTLING_MS = 2000;

function Loaded({ part, children }: Props) {
  const c = useTranslations("common");
  const t = useTranslations("builder");
  const id = useSearchParams().get("id") ?? "";
  const known = useGetExamQuery({ examId: id }, { skip: !id });
  // A publication that was interrupted goes on by itself: the page follows.
  useGetExamQuery(
    { examId: id },
    { skip: known.data?.status !== "publishing", pollingInterval: SETTLING_MS },
  );
  if (!id || (known.error && "status" in known.error && known.error.status === 404)) return <Gone />;
  if (known.error && !known.data) return <Problem error={known.error} onRetry={known.refetch} />;
  if (!known.data || known.data.id !== id) return <Loading>{c("loading")}</Loading>;
  const exam = known.data;
  return (
    <>
      <div className={styles.head}>
        <BackLink href="/admin/">{t("part.back")}</BackLink>
        <div className={styles.examTitle}>
          <PageTitle>
            <span dir="auto">{exam.title}</span>
          </PageTitle>
          <ExamStatus status={exam.status} />
        </div>
        <nav className={styles.parts} aria-label={t("part.label")}>
          {(Object.keys(PARTS) as ExamPart[]).map((one) => (
            <Link
              key={one}
              href={`${PARTS[one]}?id=${exam.id}`}
              aria-current={one === part ? "page" : undefined}
              prefetch={false}
            >
              {t(`part.${one}`)}
            </Link>
          ))}
        </nav>
      </div>
      {children(exam)}
    </>
  );
}

function Gone() {
  const t = useTranslations("builder");
  return (
    <Note tone="warn">
      <p>{t("part.gone")}</p>
      <div>
        <ButtonLink href="/admin/">{t("part.back")}</ButtonLink>
      </div>
    </Note>
  );
}

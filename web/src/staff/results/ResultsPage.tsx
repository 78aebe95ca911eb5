"use client";
/** The results of an exam: every attempt, what waits for a mark, and their release. */
import { useSearchParams } from "next/navigation";
import type { Exam } from "@/api/staff.gen";
import { ExamPage } from "../exams/ExamPage";
import { AttemptResult } from "./AttemptResult";
import { Release } from "./Release";
import { ResultTable } from "./ResultTable";
import { Waiting } from "./Waiting";

export function ResultsPage() {
  return <ExamPage part="results">{(exam) => <Found exam={exam} />}</ExamPage>;
}

function Found({ exam }: { exam: Exam }) {
  const attempt = useSearchParams().get("attempt");
  if (attempt) return <AttemptResult exam={exam} studentExamId={attempt} />;
  return (
    <>
      <Release exam={exam} />
      <Waiting examId={exam.id} />
      <ResultTable exam={exam} />
    </>
  );
}

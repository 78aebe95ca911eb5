"use client";
/** The page of an exam's builder. */
import { Builder } from "./Builder";
import { ExamPage } from "./ExamPage";

export function EditPage() {
  return <ExamPage part="edit">{(exam) => <Builder key={exam.id} exam={exam} />}</ExamPage>;
}

"use client";
/** The start page of students: their exams. */
import { StudentPage } from "@/session/StudentPage";
import { ExamsPage } from "@/student/ExamsPage";

export default function Page() {
  return <StudentPage>{() => <ExamsPage />}</StudentPage>;
}

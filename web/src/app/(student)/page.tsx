"use client";
/** The start page of students: their exams. */
import { StudentPage } from "@/session/StudentPage";

export default function Home() {
  return <StudentPage>{() => <p>…</p>}</StudentPage>;
}

"use client";
/** Practice: the exam page without an exam. */
import { PracticePage } from "@/sitting/practice/PracticePage";

export default function Practice() {
  return <PracticePage />;
}

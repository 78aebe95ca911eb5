"use client";
/** Practice: the exam page without an exam. */
import dynamic from "next/dynamic";

const PracticePage = dynamic(() =>
  import("@/sitting/practice/PracticePage").then((part) => part.PracticePage),
);

export default function Practice() {
  return <PracticePage />;
}

"use client";
import { Suspense } from "react";
import { ExamsPage } from "@/staff/exams/ExamsPage";

export default function Page() {
  return (
    <Suspense>
      <ExamsPage />
    </Suspense>
  );
}

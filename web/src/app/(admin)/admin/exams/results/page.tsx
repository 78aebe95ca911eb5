"use client";
import { Suspense } from "react";
import { ResultsPage } from "@/staff/results/ResultsPage";

export default function Page() {
  return (
    <Suspense>
      <ResultsPage />
    </Suspense>
  );
}

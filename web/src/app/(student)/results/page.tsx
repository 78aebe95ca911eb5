"use client";
/** The own results, or one of them (`?attempt=`). */
import { Suspense } from "react";
import { StudentPage } from "@/session/StudentPage";
import { ResultsPage } from "@/student/ResultsPage";

export default function Page() {
  return (
    <Suspense>
      <StudentPage>{() => <ResultsPage />}</StudentPage>
    </Suspense>
  );
}

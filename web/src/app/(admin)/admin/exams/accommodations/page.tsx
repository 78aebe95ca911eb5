"use client";
import { Suspense } from "react";
import { InExamPage } from "@/staff/accommodations/InExamPage";

export default function Page() {
  return (
    <Suspense>
      <InExamPage />
    </Suspense>
  );
}

"use client";
import { Suspense } from "react";
import { MarkingPage } from "@/staff/marking/MarkingPage";

export default function Page() {
  return (
    <Suspense>
      <MarkingPage />
    </Suspense>
  );
}

"use client";
/** Workbooks into the bank, and into the list of people. */
import { Suspense } from "react";
import { ImportsPage } from "@/staff/imports/ImportsPage";

export default function Page() {
  return (
    <Suspense>
      <ImportsPage />
    </Suspense>
  );
}

"use client";
import { Suspense } from "react";
import { EditPage } from "@/staff/exams/EditPage";

export default function Page() {
  return (
    <Suspense>
      <EditPage />
    </Suspense>
  );
}

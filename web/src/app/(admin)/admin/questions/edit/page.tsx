"use client";
/** A question: a new one, or with `?id=` one of the bank. */
import { Suspense } from "react";
import { EditPage } from "@/staff/bank/EditPage";

export default function Page() {
  return (
    <Suspense>
      <EditPage />
    </Suspense>
  );
}

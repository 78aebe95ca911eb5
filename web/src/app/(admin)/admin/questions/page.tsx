"use client";
/** The question bank. */
import { Suspense } from "react";
import { BankPage } from "@/staff/bank/BankPage";

export default function Page() {
  return (
    <Suspense>
      <BankPage />
    </Suspense>
  );
}

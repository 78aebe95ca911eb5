"use client";
import { Suspense } from "react";
import { AuditPage } from "@/staff/audit/AuditPage";

export default function Page() {
  return (
    <Suspense>
      <AuditPage />
    </Suspense>
  );
}

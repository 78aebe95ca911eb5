"use client";
/** The own password. */
import { Suspense } from "react";
import { PasswordPage } from "@/session/PasswordPage";

export default function Page() {
  return (
    <Suspense>
      <PasswordPage />
    </Suspense>
  );
}

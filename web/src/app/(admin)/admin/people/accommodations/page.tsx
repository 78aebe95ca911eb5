"use client";
import { Suspense } from "react";
import { OwnPage } from "@/staff/accommodations/OwnPage";

export default function Page() {
  return (
    <Suspense>
      <OwnPage />
    </Suspense>
  );
}

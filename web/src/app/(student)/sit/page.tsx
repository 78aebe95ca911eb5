"use client";
/** The exam page: `/sit/?exam=ID`. */
import { Suspense } from "react";
import { SitPage } from "@/sitting/page/SitPage";

export default function Sit() {
  return (
    <Suspense>
      <SitPage />
    </Suspense>
  );
}

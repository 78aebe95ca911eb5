"use client";
/** All people. */
import { Suspense } from "react";
import { PeoplePage } from "@/staff/people/PeoplePage";

export default function Page() {
  return (
    <Suspense>
      <PeoplePage />
    </Suspense>
  );
}

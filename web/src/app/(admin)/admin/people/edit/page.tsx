"use client";
/** A person: a new one, or with `?id=` one that there is. */
import { Suspense } from "react";
import { PersonPage } from "@/staff/people/PersonPage";

export default function Page() {
  return (
    <Suspense>
      <PersonPage />
    </Suspense>
  );
}

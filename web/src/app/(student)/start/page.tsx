"use client";
/** Before an exam (`?exam=`). */
import { Suspense } from "react";
import { StudentPage } from "@/session/StudentPage";
import { StartPage } from "@/student/StartPage";

export default function Page() {
  return (
    <Suspense>
      <StudentPage>{() => <StartPage />}</StudentPage>
    </Suspense>
  );
}

"use client";
import { Crash } from "@/ui/Crash";

export default function StudentError({ error }: { error: Error }) {
  return <Crash error={error} home="/" text="crash" />;
}

"use client";
import { Crash } from "@/ui/Crash";

export default function AdminError({ error }: { error: Error }) {
  return <Crash error={error} home="/admin/" text="crashStaff" />;
}

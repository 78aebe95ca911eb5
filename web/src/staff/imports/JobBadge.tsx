"use client";
import { useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import { Badge, type Tone } from "@/ui";

type Shown = "queued" | "running" | "checked" | "completed" | "failed";
const TONES: Record<Shown, Tone> = {
  queued: "plain",
  running: "accent",
  checked: "accent",
  completed: "good",
  failed: "bad",
};

export function JobBadge({ job }: { job: Job }) {
  const t = useTranslations("imports.status");
  const shown: Shown = job.dry_run && job.status === "completed" ? "checked" : job.status;
  return <Badge tone={TONES[shown]}>{t(shown)}</Badge>;
}

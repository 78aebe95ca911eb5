"use client";
/** Where an attempt stands, in a word. */
import { useTranslations } from "use-intl";
import type { Result } from "@/api/staff.gen";
import { Badge, type Tone } from "@/ui";

const TONES: Record<Result["status"], Tone> = {
  in_progress: "accent",
  paused: "warn",
  submitted: "good",
  expired: "warn",
  void: "bad",
};

export function ResultStatus({ status }: { status: Result["status"] }) {
  const t = useTranslations("builder.attempt");
  return <Badge tone={TONES[status]}>{t(status)}</Badge>;
}

"use client";
/** Where an exam stands, in a word. */
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { Badge, type Tone } from "@/ui";

const TONES: Record<Exam["status"], Tone> = {
  draft: "plain",
  publishing: "warn",
  published: "good",
  closed: "accent",
};

export function ExamStatus({ status }: { status: Exam["status"] }) {
  const t = useTranslations("builder.status");
  return <Badge tone={TONES[status]}>{t(status)}</Badge>;
}

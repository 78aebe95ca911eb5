"use client";
/** Why an exam did not start, and what to do. */
import { useTranslations } from "use-intl";
import * as z from "zod/mini";
import { isProblem } from "@/api/problem";
import type { MyExam } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { Note } from "@/ui";
import { Problem } from "@/ui/Problem";

const Window = z.object({
  start_time: z.optional(z.nullable(z.string())),
  end_time: z.optional(z.nullable(z.string())),
});

export function StartProblem({ error, exam }: { error: unknown; exam: MyExam }) {
  const t = useTranslations("exams");
  const moment = useMoment();
  const problem = isProblem(error) ? error : null;
  // On its way to the exam page already.
  if (problem?.code === "already_started") return null;
  if (problem?.code === "attempt_limit")
    return <Said>{t("attemptLimit", { count: exam.max_attempts })}</Said>;
  if (problem?.code === "exam_not_open") {
    const { start_time: start, end_time: end } = Window.safeParse(problem).data ?? {};
    const comes = start && Date.parse(start) > Date.now();
    if (comes) return <Said>{t("notYet", { time: moment(start) ?? "" })}</Said>;
    return <Said>{end ? t("isOver", { time: moment(end) ?? "" }) : t("notOpen")}</Said>;
  }
  if (problem?.status === 429)
    return <Said>{t("busy", { seconds: Math.ceil(problem.retryAfter ?? 5) })}</Said>;
  return <Problem error={error} />;
}

function Said({ children }: { children: string }) {
  return (
    <Note tone="bad" live>
      {children}
    </Note>
  );
}

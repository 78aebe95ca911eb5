"use client";
/** Publishing a draft: only when nothing is missing, and after it was said what can't be changed any more. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { usePublishExamMutation } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { Button, Dialog, Note } from "@/ui";
import { Problem } from "@/ui/Problem";
import { type Item, isReady, type Reason, reasonsOf } from "./checklist";

interface Props {
  exam: Exam;
  items: readonly Item[];
  onRefused: (reasons: Reason[]) => void;
  onDone: () => void;
}

export function Publish({ exam, items, onRefused, onDone }: Props) {
  const t = useTranslations("builder.publish");
  const c = useTranslations("common");
  const [open, setOpen] = useState(false);
  const [publish, { isLoading, error }] = usePublishExamMutation();

  function ask() {
    const missing = items.find(({ standing }) => standing === "missing");
    if (missing) document.getElementById(`check-${missing.code}`)?.focus();
    else setOpen(true);
  }
  async function confirm() {
    const answer = await publish({ examId: exam.id });
    const reasons = reasonsOf(answer.error);
    if (!answer.data && !reasons.length) return;
    setOpen(false);
    if (answer.data) onDone();
    else onRefused(reasons);
  }

  const actions = (
    <>
      <Button onClick={() => setOpen(false)}>{c("cancel")}</Button>
      <Button look="primary" busy={isLoading} onClick={confirm}>
        {t("confirm")}
      </Button>
    </>
  );
  return (
    <>
      <Button look={isReady(items) ? "primary" : "plain"} onClick={ask}>
        {t("button")}
      </Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={t("title")} actions={actions}>
        <Facts exam={exam} />
        <Note tone="warn">
          <p>{t("frozen")}</p>
        </Note>
        <p>{t("free")}</p>
        {error && !reasonsOf(error).length ? <Problem error={error} /> : null}
      </Dialog>
    </>
  );
}

function Facts({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.publish");
  const moment = useMoment();
  return (
    <ul>
      <li>{t("paper", { count: exam.question_count, points: exam.max_possible })}</li>
      <li>{t("time", { minutes: exam.duration_minutes, attempts: exam.max_attempts })}</li>
      <li>{exam.start_time ? t("from", { start: moment(exam.start_time) ?? "" }) : t("atOnce")}</li>
      <li>{exam.end_time ? t("until", { end: moment(exam.end_time) ?? "" }) : t("noEnd")}</li>
      <li>
        {exam.roster.all
          ? t("everyone")
          : t("some", { students: exam.roster.student_ids.length, groups: exam.roster.groups.length })}
      </li>
    </ul>
  );
}

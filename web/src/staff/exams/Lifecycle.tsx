"use client";
/** The end of an exam: closing what is published, deleting a draft. */
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { useCloseExamMutation, useDeleteExamMutation } from "@/api/staff-exams";
import { Button, Dialog } from "@/ui";
import { Problem } from "@/ui/Problem";

export function CloseExam({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.close");
  const [close, { isLoading, error }] = useCloseExamMutation();
  return (
    <Confirmed
      label={t("button")}
      title={t("title")}
      text={t("text")}
      confirm={t("confirm")}
      busy={isLoading}
      error={error}
      onConfirm={async () => Boolean((await close({ examId: exam.id })).data)}
    />
  );
}

export function DeleteExam({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.delete");
  const router = useRouter();
  const [remove, { isLoading, error }] = useDeleteExamMutation();
  return (
    <Confirmed
      label={t("button")}
      title={t("title", { title: exam.title })}
      text={t("text")}
      confirm={t("confirm")}
      busy={isLoading}
      error={error}
      onConfirm={async () => {
        const done = !(await remove({ examId: exam.id })).error;
        if (done) router.push("/admin/");
        return done;
      }}
    />
  );
}

interface ConfirmedProps {
  label: string;
  title: string;
  text: string;
  confirm: string;
  busy: boolean;
  error: unknown;
  /** Whether it was done. */
  onConfirm: () => Promise<boolean>;
}

function Confirmed({ label, title, text, confirm, busy, error, onConfirm }: ConfirmedProps) {
  const c = useTranslations("common");
  const [open, setOpen] = useState(false);
  const actions = (
    <>
      <Button onClick={() => setOpen(false)}>{c("cancel")}</Button>
      <Button
        look="danger"
        busy={busy}
        onClick={async () => {
          if (await onConfirm()) setOpen(false);
        }}
      >
        {confirm}
      </Button>
    </>
  );
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={title} actions={actions}>
        <p>{text}</p>
        {error ? <Problem error={error} /> : null}
      </Dialog>
    </>
  );
}

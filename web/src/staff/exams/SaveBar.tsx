"use client";
/** Whether all is saved, and the button that saves it; always in sight. */
import type { ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import { Badge, Button, Note, Row } from "@/ui";
import { Problem } from "@/ui/Problem";
import styles from "./exams.module.css";
import type { ExamForm } from "./useExamForm";

export function SaveBar({
  form,
  onSave,
  children,
}: {
  form: ExamForm;
  onSave: () => void;
  children: ReactNode;
}) {
  const t = useTranslations("builder.save");
  const { dirty, saving, problem } = form;
  const atFields = isProblem(problem) && problem.status === 422 && Boolean(problem.errors?.length);
  return (
    <>
      {problem && !atFields ? <Problem error={problem} onRetry={onSave} /> : null}
      {atFields || Object.keys(form.faults).length ? (
        <Note tone="bad" live>
          {t("wrong")}
        </Note>
      ) : null}
      <div className={styles.saveBar}>
        <SaveState form={form} />
        <Row>
          <Button look={dirty ? "primary" : "plain"} busy={saving} onClick={onSave}>
            {saving ? t("saving") : t("button")}
          </Button>
          {children}
        </Row>
      </div>
    </>
  );
}

function SaveState({ form: { dirty, saving, savedAt } }: { form: ExamForm }) {
  const t = useTranslations("builder.save");
  const format = useFormatter();
  const time = savedAt && format.dateTime(savedAt, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return (
    <span className={styles.saveState} role="status">
      {dirty ? (
        <Badge tone="warn">{saving ? t("saving") : t("unsaved")}</Badge>
      ) : (
        <Badge tone="good">{time ? t("savedAt", { time }) : t("saved")}</Badge>
      )}
    </span>
  );
}

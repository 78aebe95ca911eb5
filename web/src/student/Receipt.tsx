"use client";
/** The digest of the answers as they were closed, on demand: the same that was shown after the submit. */
import { useTranslations } from "use-intl";
import { useSubmitByIdMutation } from "@/api/student.gen";
import { Button } from "@/ui";
import { Problem } from "@/ui/Problem";
import styles from "./student.module.css";

export function Receipt({ attemptId }: { attemptId: string }) {
  const t = useTranslations("results");
  // A closed attempt gives its receipt again and again, and takes nothing more.
  const [ask, { data, error, isLoading }] = useSubmitByIdMutation();
  if (data) {
    return (
      <div>
        <p>{t("receipt", { count: data.receipt.answer_count })}</p>
        <p className={styles.digest} dir="ltr">
          {data.receipt.answers_digest}
        </p>
      </div>
    );
  }
  const show = () => ask({ studentExamId: attemptId, submitAnswers: {} });
  return (
    <div>
      {error ? <Problem error={error} /> : null}
      <Button small look="quiet" busy={isLoading} onClick={show}>
        {t("showReceipt")}
      </Button>
    </div>
  );
}

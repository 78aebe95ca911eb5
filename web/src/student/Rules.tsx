"use client";
/** The rules of an exam in plain words. */
import { useTranslations } from "use-intl";
import type { MyExam } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { Note, Stack } from "@/ui";
import styles from "./student.module.css";

const ALWAYS = ["clock", "saved", "network", "submit", "integrity"] as const;
const MINUTE_MS = 60_000;

export function Rules({ exam }: { exam: MyExam }) {
  const t = useTranslations("exams");
  return (
    <Stack>
      <h2>{t("rules.title")}</h2>
      <ul className={styles.rules}>
        <li>{t("rules.duration", { count: exam.duration_minutes })}</li>
        {ALWAYS.map((rule) => (
          <li key={rule}>{t(`rules.${rule}`)}</li>
        ))}
        {exam.max_attempts > 1 ? (
          <li>{t("rules.attempt", { number: exam.attempts_used + 1, most: exam.max_attempts })}</li>
        ) : null}
      </ul>
      <ShortTime exam={exam} />
    </Stack>
  );
}

/** Who starts late has less time than the exam's. By this device's clock: only to tell. */
function ShortTime({ exam }: { exam: MyExam }) {
  const t = useTranslations("exams");
  const moment = useMoment();
  if (!exam.end_time) return null;
  const minutes = Math.floor((Date.parse(exam.end_time) - Date.now()) / MINUTE_MS);
  if (minutes >= exam.duration_minutes || minutes < 0) return null;
  return <Note tone="warn">{t("shortTime", { time: moment(exam.end_time) ?? "", count: minutes })}</Note>;
}

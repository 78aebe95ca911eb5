"use client";
/** Answers that were not taken, not decided on or never sent, with their texts: they must not vanish without a word. */
import { useTranslations } from "use-intl";
import type { RejectedItem } from "@/api/student.gen";
import { Note } from "@/ui";
import { questionsOf } from "../slice";
import { notTakenOf } from "../standing";
import { AnswerText } from "./AnswerText";
import { useShown } from "./context";
import styles from "./receipt.module.css";

export function NotTaken({ rejected }: { rejected: RejectedItem[] }) {
  const t = useTranslations("sitting");
  const questions = useShown(questionsOf);
  const entries = useShown((state) => state.entries);
  const uploads = useShown((state) => state.uploads);
  const notTaken = notTakenOf(entries, rejected, uploads);
  if (notTaken.length === 0) return null;
  return (
    <Note tone="bad">
      <strong>{t("notTaken", { count: notTaken.length })}</strong>
      <ul className={styles.notTaken}>
        {notTaken.map(({ id, code, detail }) => {
          const place = questions.findIndex((question) => question.id === id);
          const question = questions[place];
          const name = t("question", { number: place + 1 });
          return (
            <li key={id}>
              {question ? <strong>{name}: </strong> : null}
              {t.has(`why.${code}`) ? t(`why.${code}`) : detail}
              {question ? (
                <AnswerText question={question} answer={entries[id]?.answer ?? null} label={name} />
              ) : null}
            </li>
          );
        })}
      </ul>
    </Note>
  );
}

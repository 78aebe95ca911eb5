"use client";
/** One question of the paper with its entry: rendered when that entry changes, and no other. */
import { memo, useCallback } from "react";
import { useTranslations } from "use-intl";
import { QuestionView } from "@/questions/QuestionView";
import type { Answer } from "@/questions/types";
import { Button, Note } from "@/ui";
import { isRefused } from "../entry";
import { questionsOf } from "../slice";
import { Conflict } from "./Conflict";
import { useShown, useSitting } from "./context";
import styles from "./sitting.module.css";

interface Props {
  id: string;
  place: number;
  disabled: boolean;
}

export const Question = memo(function Question({ id, place, disabled }: Props) {
  const t = useTranslations("sitting");
  const sitting = useSitting();
  const question = useShown((state) => questionsOf(state)[place]);
  const entry = useShown((state) => state.entries[id]);
  const onAnswer = useCallback((answer: Answer) => sitting.answer(id, answer), [sitting, id]);
  if (!question || !entry) return null;
  return (
    <div className={styles.question}>
      <QuestionView
        question={question}
        number={place + 1}
        answer={entry.answer}
        onAnswer={onAnswer}
        disabled={disabled}
        attemptId={sitting.attempt}
        practice={sitting.around.practice}
      />
      {isRefused(entry) ? (
        <Note tone="bad" live>
          <strong>{t("refused")}</strong>
          <p dir="auto">{entry.refused?.detail}</p>
        </Note>
      ) : null}
      {entry.other ? <Conflict question={question} entry={entry} other={entry.other} /> : null}
      <div>
        <Button look="quiet" small aria-pressed={entry.flagged} onClick={() => sitting.flag(id)}>
          <span aria-hidden="true">⚑</span> {entry.flagged ? t("unflag") : t("flag")}
        </Button>
      </div>
    </div>
  );
});

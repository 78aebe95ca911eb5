"use client";
/** A number: read as people write it, and told what was understood. */
import { useEffect, useId, useState } from "react";
import { useTranslations } from "use-intl";
import { numberOf } from "./numeric";
import { labelledBy, type QuestionProps } from "./question";
import styles from "./questions.module.css";

/** What was typed and is no number, by question: it is still there when one comes back to it. */
const drafts = new Map<string, string>();

export function NumberAnswer({ question, answer, onAnswer, disabled, attemptId }: QuestionProps) {
  const t = useTranslations("questions");
  const id = useId();
  const draft = `${attemptId}/${question.id}`;
  const given = typeof answer === "string" ? answer : "";
  const [typed, setTyped] = useState(() => (answer === null ? (drafts.get(draft) ?? "") : given));
  const understood = numberOf(typed);
  const bad = typed.trim() !== "" && understood === null;

  useEffect(() => {
    // Another tab or device has changed it, or a conflict was decided.
    setTyped((now) => (answer === null ? (numberOf(now) === null ? now : "") : readAs(now, answer)));
  }, [answer]);

  function change(text: string) {
    setTyped(text);
    const next = numberOf(text);
    if (next === null && text.trim()) drafts.set(draft, text);
    else drafts.delete(draft);
    if (next !== answer) onAnswer(next);
  }
  return (
    <div className={styles.written}>
      <input
        className={styles.number}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        dir="ltr"
        aria-labelledby={labelledBy(question.id)}
        aria-describedby={id}
        aria-invalid={bad || undefined}
        disabled={disabled}
        value={typed}
        onChange={(event) => change(event.target.value)}
      />
      <p id={id} className={bad ? styles.bad : styles.hint}>
        {bad
          ? t("notANumber")
          : understood !== null && understood !== typed.trim()
            ? t("readAs", { number: understood })
            : t("numberHint")}
      </p>
    </div>
  );
}

function readAs(typed: string, answer: string | string[]): string {
  return numberOf(typed) === answer ? typed : String(answer);
}

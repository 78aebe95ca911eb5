"use client";
/** The question as a student sees it: it can be tried, and the answer goes nowhere. */
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { AttemptQuestion } from "@/api/student.gen";
import { QuestionView } from "@/questions/QuestionView";
import type { Answer } from "@/questions/types";
import { RichText } from "@/text/RichText";
import { Card, Hint, Stack } from "@/ui";
import styles from "./bank.module.css";
import { type Draft, letter } from "./draft";
import { decimal } from "./numbers";
import { hasOptions } from "./types";

export function Preview({ draft }: { draft: Draft }) {
  const t = useTranslations("bank");
  // Typing goes before the picture of what is typed.
  const shown = useDeferredValue(draft);
  const question = useMemo(() => asAsked(shown), [shown]);
  const { type } = question;
  const [answer, setAnswer] = useState<{ type: string; value: Answer }>({ type, value: null });
  const onAnswer = useCallback((value: Answer) => setAnswer({ type, value }), [type]);
  return (
    <section className={styles.preview} aria-labelledby="preview">
      <Stack>
        <h2 id="preview">{t("preview")}</h2>
        <Hint>{t("previewHint")}</Hint>
        <Card>
          <QuestionView
            question={question}
            number={1}
            answer={answer.type === type ? answer.value : null}
            onAnswer={onAnswer}
            disabled={false}
            attemptId="preview"
            practice
          />
        </Card>
        {shown.explanation.trim() ? (
          <Card>
            <h3>{t("explanation")}</h3>
            <RichText text={shown.explanation} />
          </Card>
        ) : null}
      </Stack>
    </section>
  );
}

function asAsked(draft: Draft): AttemptQuestion {
  return {
    id: "preview",
    type: draft.type,
    text: draft.text,
    options: hasOptions(draft.type)
      ? draft.options.map(({ text }, place) => ({ id: letter(place), text }))
      : [],
    points: Number(decimal(draft.points) ?? 0),
    order: 1,
    media: draft.media.map(({ item }) => item),
  };
}

"use client";
/** The questions of an exam, and the ways to add, order and try them. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import { Button, Hint, Note, Row } from "@/ui";
import { Problem } from "@/ui/Problem";
import { ChosenQuestion, type Step } from "./Chosen";
import type { Reason } from "./checklist";
import type { Draft } from "./draft";
import styles from "./exams.module.css";
import type { SectionProps } from "./fields";
import { Picker } from "./Picker";
import { Preview } from "./Preview";
import type { Questions } from "./useQuestions";

interface Props extends SectionProps {
  questions: Questions;
  reasons: readonly Reason[];
}

export function QuestionsSection({ form, frozen, complaint, questions, reasons }: Props) {
  const t = useTranslations("builder.questions");
  const [open, setOpen] = useState<"picker" | "preview" | null>(null);
  const chosen = form.draft.questions;
  const { said, move, setPoints, remove } = useOrder(form);
  const add = (found: Question[]) => {
    questions.learn(found);
    form.set({ questions: [...chosen, ...found.map(({ id }) => ({ id, points: "" }))] });
    setOpen(null);
  };
  return (
    <>
      {frozen ? <Note>{t("frozen")}</Note> : <Hint>{t("about")}</Hint>}
      <Row>
        {frozen ? null : (
          <Button look={chosen.length ? "plain" : "primary"} onClick={() => setOpen("picker")}>
            {t("pick")}
          </Button>
        )}
        {chosen.length ? <Button onClick={() => setOpen("preview")}>{t("preview")}</Button> : null}
      </Row>
      {questions.problem ? <Problem error={questions.problem} onRetry={questions.retry} /> : null}
      {complaint("questions") ? (
        <Note tone="bad" live>
          {complaint("questions")}
        </Note>
      ) : null}
      {chosen.length ? <Total draft={form.draft} known={questions.known} /> : <p>{t("none")}</p>}
      <ol className={styles.questions}>
        {chosen.map((one, place) => (
          <ChosenQuestion
            key={one.id}
            chosen={one}
            place={place}
            last={place === chosen.length - 1}
            frozen={frozen}
            question={questions.known.get(one.id)}
            refusal={
              complaint(`questions.${place}.question_id`) ??
              complaint(`questions.${place}.points`) ??
              reasons.find(({ question_id }) => question_id === one.id)?.detail
            }
            onMove={move}
            onPoints={setPoints}
            onRemove={remove}
          />
        ))}
      </ol>
      <p className="visually-hidden" role="status">
        {said}
      </p>
      <Picker
        open={open === "picker"}
        chosen={new Set(chosen.map(({ id }) => id))}
        onClose={() => setOpen(null)}
        onAdd={add}
      />
      <Preview
        open={open === "preview"}
        draft={form.draft}
        known={questions.known}
        onClose={() => setOpen(null)}
      />
    </>
  );
}

/** Changes that leave all other rows as they are; where a row was moved to is said, and its button keeps the focus. */
function useOrder(form: SectionProps["form"]) {
  const t = useTranslations("builder.questions");
  const [said, setSaid] = useState("");
  const latest = useRef(form);
  const focus = useRef<{ id: string; step: Step } | null>(null);
  useEffect(() => {
    latest.current = form;
    const moved = focus.current;
    focus.current = null;
    if (!moved) return;
    const [first, second] = moved.step < 0 ? ["up", "down"] : ["down", "up"];
    for (const name of [first, second]) {
      const button = document.getElementById(`${name}-${moved.id}`);
      if (button instanceof HTMLButtonElement && !button.disabled) return button.focus();
    }
  });
  const change = useCallback((next: (questions: Draft["questions"]) => Draft["questions"]) => {
    latest.current.set({ questions: next(latest.current.draft.questions) });
  }, []);
  const move = useCallback(
    (id: string, step: Step) => {
      const { questions } = latest.current.draft;
      const from = questions.findIndex((one) => one.id === id);
      const to = from + step;
      const [one, other] = [questions[from], questions[to]];
      if (!one || !other) return;
      focus.current = { id, step };
      change((all) => all.with(from, other).with(to, one));
      setSaid(t("moved", { place: to + 1, count: questions.length }));
    },
    [change, t],
  );
  const setPoints = useCallback(
    (id: string, points: string) =>
      change((all) => all.map((one) => (one.id === id ? { ...one, points } : one))),
    [change],
  );
  const remove = useCallback((id: string) => change((all) => all.filter((one) => one.id !== id)), [change]);
  return { said, move, setPoints, remove };
}

function Total({ draft, known }: { draft: Draft; known: Questions["known"] }) {
  const t = useTranslations("builder.questions");
  const complete = draft.questions.every(({ id, points }) => points.trim() || known.has(id));
  const hundredths = draft.questions.reduce(
    (sum, { id, points }) => sum + Math.round(Number(points.trim() || known.get(id)?.points || 0) * 100),
    0,
  );
  return (
    <p className={styles.total}>
      <span>{t("count", { count: draft.questions.length })}</span>
      <span>{complete && Number.isFinite(hundredths) ? t("total", { points: hundredths / 100 }) : "…"}</span>
    </p>
  );
}

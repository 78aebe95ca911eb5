"use client";
/** The questions of an exam: their order, their points, and what each is. */
import { type KeyboardEvent, memo } from "react";
import { useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import { RichText } from "@/text/RichText";
import { Badge, Button } from "@/ui";
import { questionFault } from "./checklist";
import type { Chosen } from "./draft";
import styles from "./exams.module.css";
import { arePoints } from "./faults";

export type Step = -1 | 1;

interface Props {
  chosen: Chosen;
  place: number;
  last: boolean;
  frozen: boolean;
  question: Question | undefined;
  /** Why the server refused this question. */
  refusal?: string | undefined;
  onMove: (id: string, step: Step) => void;
  onPoints: (id: string, points: string) => void;
  onRemove: (id: string) => void;
}

export const ChosenQuestion = memo(function ChosenQuestion(props: Props) {
  const { chosen, place, frozen, question, refusal, onMove } = props;
  const t = useTranslations("builder.questions");
  const fault = questionFault(question);
  // Beside the buttons, for who works by keyboard alone.
  function onKeyDown(event: KeyboardEvent) {
    if (frozen || !event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    onMove(chosen.id, event.key === "ArrowUp" ? -1 : 1);
  }
  return (
    <li className={styles.question} onKeyDown={onKeyDown}>
      <span className={styles.number}>{place + 1}.</span>
      <div className={styles.questionText}>
        <span className={styles.clamped} dir="auto">
          {question ? <RichText text={question.text} inline /> : "…"}
        </span>
        <span className={styles.facts}>
          {question ? <span>{t(`type.${question.type}`)}</span> : null}
          {question?.category ? <span dir="auto">{question.category}</span> : null}
          {fault ? <Badge tone="bad">{t(fault)}</Badge> : null}
          {refusal && !fault ? <Badge tone="bad">{refusal}</Badge> : null}
        </span>
      </div>
      <Tools {...props} />
    </li>
  );
});

function Tools({ chosen, place, last, frozen, question, onMove, onPoints, onRemove }: Props) {
  const t = useTranslations("builder.questions");
  const own = question ? String(question.points) : "";
  const number = place + 1;
  if (frozen) {
    return <span className={styles.worth}>{t("worth", { points: Number(chosen.points || own) })}</span>;
  }
  return (
    <div className={styles.questionTools}>
      <label className={styles.points}>
        <span className="visually-hidden">{t("pointsOf", { number })}</span>
        <input
          type="number"
          min={0.01}
          max={1000}
          step={0.01}
          value={chosen.points}
          placeholder={own}
          aria-invalid={!arePoints(chosen.points) || undefined}
          onChange={(event) => onPoints(chosen.id, event.target.value)}
        />
        <span aria-hidden>{t("pointsShort")}</span>
      </label>
      <Button
        small
        id={`up-${chosen.id}`}
        aria-label={t("up", { number })}
        disabled={place === 0}
        onClick={() => onMove(chosen.id, -1)}
      >
        ↑
      </Button>
      <Button
        small
        id={`down-${chosen.id}`}
        aria-label={t("down", { number })}
        disabled={last}
        onClick={() => onMove(chosen.id, 1)}
      >
        ↓
      </Button>
      <Button small look="quiet" aria-label={t("removeOne", { number })} onClick={() => onRemove(chosen.id)}>
        {t("remove")}
      </Button>
    </div>
  );
}

"use client";
/** Choices: real radio buttons and checkboxes, the whole row to click. */
import { type ComponentProps, type ReactNode, useRef } from "react";
import { useTranslations } from "use-intl";
import { RichText } from "@/text/RichText";
import { Button } from "@/ui";
import { labelledBy, type QuestionProps } from "./question";
import styles from "./questions.module.css";

export function Choices({ question, answer, onAnswer, disabled }: QuestionProps) {
  const t = useTranslations("questions");
  const first = useRef<HTMLInputElement>(null);
  const options =
    question.type === "true_false"
      ? [
          { id: "true", letter: undefined, label: t("true") },
          { id: "false", letter: undefined, label: t("false") },
        ]
      : question.options.map(({ id, text }) => ({ id, letter: id, label: <RichText text={text} inline /> }));
  function clear() {
    // The button goes: the focus must not go with it.
    first.current?.focus();
    onAnswer(null);
  }
  return (
    <fieldset className={styles.choices} aria-labelledby={labelledBy(question.id)} disabled={disabled}>
      {options.map((option, place) => (
        <Choice
          key={option.id}
          letter={option.letter}
          label={option.label}
          ref={place === 0 ? first : null}
          type="radio"
          name={`answer-${question.id}`}
          value={option.id}
          checked={answer === option.id}
          onChange={() => onAnswer(option.id)}
        />
      ))}
      {answer !== null && !disabled ? (
        <div>
          <Button look="quiet" small onClick={clear}>
            {t("clearChoice")}
          </Button>
        </div>
      ) : null}
    </fieldset>
  );
}

export function MultipleChoices({ question, answer, onAnswer, disabled }: QuestionProps) {
  const t = useTranslations("questions");
  const chosen = Array.isArray(answer) ? answer : [];
  function toggle(id: string, checked: boolean) {
    const next = question.options
      .map((option) => option.id)
      .filter((one) => (one === id ? checked : chosen.includes(one)));
    onAnswer(next.length ? next : null);
  }
  return (
    <fieldset className={styles.choices} aria-labelledby={labelledBy(question.id)} disabled={disabled}>
      <p className={styles.hint}>{t("several")}</p>
      {question.options.map(({ id, text }) => (
        <Choice
          key={id}
          letter={id}
          label={<RichText text={text} inline />}
          type="checkbox"
          name={`answer-${question.id}`}
          value={id}
          checked={chosen.includes(id)}
          onChange={(event) => toggle(id, event.target.checked)}
        />
      ))}
    </fieldset>
  );
}

interface ChoiceProps extends ComponentProps<"input"> {
  letter?: string;
  label: ReactNode;
}

function Choice({ letter, label, ...input }: ChoiceProps) {
  return (
    <label className={styles.choice}>
      <input {...input} />
      {letter ? <span className={styles.letter}>{letter}</span> : null}
      {/* For who hears it: "A Mars". */ " "}
      <span className={styles.choiceText} dir="auto">
        {label}
      </span>
    </label>
  );
}

"use client";
import { useId } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/ui";
import ui from "@/ui/ui.module.css";
import styles from "./bank.module.css";
import type { DraftOption } from "./draft";

interface Props {
  option: DraftOption;
  letter: string;
  single: boolean;
  fault: string | undefined;
  onText: (text: string) => void;
  onMark: (correct: boolean) => void;
  /** Null where it can't be moved or removed. */
  onUp: (() => void) | null;
  onDown: (() => void) | null;
  onRemove: (() => void) | null;
}

export function OptionItem(props: Props) {
  const { option, letter, single, fault, onText, onMark } = props;
  const t = useTranslations("bank");
  const id = useId();
  return (
    <li className={styles.item} data-option={option.key}>
      <label className={styles.mark}>
        <input
          type={single ? "radio" : "checkbox"}
          name={single ? "correct-option" : undefined}
          aria-label={t("isCorrect", { letter })}
          checked={option.correct}
          onChange={({ target }) => onMark(target.checked)}
        />
        <span aria-hidden="true">{letter}</span>
      </label>
      <textarea
        className={`${ui.input} ${styles.option}`}
        rows={1}
        dir="auto"
        maxLength={5_000}
        aria-label={t("optionText", { letter })}
        aria-invalid={fault ? true : undefined}
        aria-describedby={fault ? `${id}-error` : undefined}
        value={option.text}
        onChange={({ target }) => onText(target.value)}
      />
      <Tools {...props} />
      {fault ? (
        <p id={`${id}-error`} className={styles.error} role="alert">
          {fault}
        </p>
      ) : null}
    </li>
  );
}

function Tools({ letter, onUp, onDown, onRemove }: Props) {
  const t = useTranslations("bank");
  const tools = [
    { name: "up", sign: "↑", label: t("moveUp", { letter }), act: onUp },
    { name: "down", sign: "↓", label: t("moveDown", { letter }), act: onDown },
    { name: "remove", sign: "×", label: t("removeOption", { letter }), act: onRemove },
  ];
  return (
    <div className={styles.tools}>
      {tools.map(({ name, sign, label, act }) => (
        <Button
          key={name}
          small
          look="quiet"
          data-tool={name}
          aria-label={label}
          title={label}
          disabled={act === null}
          onClick={act ?? undefined}
        >
          {sign}
        </Button>
      ))}
    </div>
  );
}

"use client";
/** Written answers, one line or many. */
import { useId, useLayoutEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { bytesOf, clip, MAX_BYTES, WARN_BYTES, wordsIn } from "./limit";
import { labelledBy, type QuestionProps } from "./question";
import styles from "./questions.module.css";

export function ShortText(props: QuestionProps) {
  const { text, change, cut } = useText(props);
  const id = useId();
  return (
    <div className={styles.written}>
      <input
        className={styles.line}
        type="text"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        dir="auto"
        aria-labelledby={labelledBy(props.question.id)}
        aria-describedby={id}
        disabled={props.disabled}
        value={text}
        onChange={(event) => change(event.target.value)}
      />
      <Limit id={id} text={text} cut={cut} />
    </div>
  );
}

export function LongText(props: QuestionProps) {
  const t = useTranslations("questions");
  const { text, change, cut } = useText(props);
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  useGrowing(area, text);
  return (
    <div className={styles.written}>
      <textarea
        ref={area}
        className={styles.long}
        dir="auto"
        rows={6}
        aria-labelledby={labelledBy(props.question.id)}
        aria-describedby={`${id}-hint ${id}`}
        disabled={props.disabled}
        value={text}
        onChange={(event) => change(event.target.value)}
      />
      <div className={styles.below}>
        <p id={`${id}-hint`} className={styles.hint}>
          {t("markdownHint")}
        </p>
        <p className={styles.hint}>{t("words", { count: wordsIn(text) })}</p>
      </div>
      <Limit id={id} text={text} cut={cut} />
    </div>
  );
}

function useText({ answer, onAnswer }: QuestionProps) {
  const [cut, setCut] = useState(false);
  const text = typeof answer === "string" ? answer : "";
  function change(typed: string) {
    const clipped = clip(typed);
    setCut(clipped.cut);
    onAnswer(clipped.text === "" ? null : clipped.text);
  }
  return { text, change, cut };
}

/** Always there, so that it is read out when it begins to speak. */
function Limit({ id, text, cut }: { id: string; text: string; cut: boolean }) {
  const t = useTranslations("questions");
  const bytes = bytesOf(text);
  const percent = Math.min(100, Math.floor((bytes / MAX_BYTES) * 100));
  return (
    <p id={id} className={styles.bad} role="status">
      {cut ? t("cut") : bytes >= WARN_BYTES ? t("nearLimit", { percent: Math.floor(percent / 2) * 2 }) : ""}
    </p>
  );
}

/** Where the browser has no `field-sizing`, the height follows the text. */
function useGrowing(area: { current: HTMLTextAreaElement | null }, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the text changes
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || globalThis.CSS?.supports?.("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [area, text]);
}

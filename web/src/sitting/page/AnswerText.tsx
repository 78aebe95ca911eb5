"use client";
/** An answer as text: the options' words instead of their letters. */
import { useTranslations } from "use-intl";
import type { AttemptQuestion } from "@/api/student.gen";
import type { Answer } from "@/questions/types";
import { RichText } from "@/text/RichText";
import styles from "./sitting.module.css";

interface Props {
  question: AttemptQuestion;
  answer: Answer;
  /** Whose, or to what: read out where it is scrolled. */
  label: string;
}

export function AnswerText({ question, answer, label }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long one is scrolled by keyboard
    <section className={styles.text} dir="auto" tabIndex={0} aria-label={label}>
      <Words question={question} answer={answer} />
    </section>
  );
}

function Words({ question, answer }: Omit<Props, "label">) {
  const t = useTranslations("sitting");
  if (answer === null || answer.length === 0) return <em>{t("noAnswer")}</em>;
  if (question.type === "image") return <em>{t("picture")}</em>;
  if (question.type === "true_false") return <>{answer === "true" ? t("true") : t("false")}</>;
  if (question.options.length === 0) return <>{answer}</>;
  const given = Array.isArray(answer) ? answer : [answer];
  const chosen = question.options.filter(({ id }) => given.includes(id));
  return (
    <ul>
      {chosen.map(({ id, text }) => (
        <li key={id}>
          {id}. <RichText text={text} inline />
        </li>
      ))}
    </ul>
  );
}

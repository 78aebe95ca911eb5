"use client";
/** A question as it is shown and answered: props in, answers out, no store. */
import { memo } from "react";
import { useTranslations } from "use-intl";
import type { AttemptQuestion } from "@/api/student.gen";
import { RichText } from "@/text/RichText";
import { Choices, MultipleChoices } from "./Choices";
import { ImageAnswer } from "./ImageAnswer";
import { Media } from "./Media";
import { NumberAnswer } from "./NumberAnswer";
import styles from "./questions.module.css";
import { LongText, ShortText } from "./TextAnswer";
import type { Answer } from "./types";

export interface QuestionProps {
  question: AttemptQuestion;
  number: number;
  answer: Answer;
  /** Keep it the same function from one rendering to the next: the question is then rendered only when it changes. */
  onAnswer: (answer: Answer) => void;
  disabled: boolean;
  attemptId: string;
  /** Nothing is sent anywhere. */
  practice: boolean;
}

/** Of the heading, which takes the focus when one goes to the question. */
export function headingId(questionId: string): string {
  return `question-${questionId}`;
}

export function textId(questionId: string): string {
  return `question-${questionId}-text`;
}

/** What names the inputs of a question: its number and its text. */
export function labelledBy(questionId: string): string {
  return `${headingId(questionId)} ${textId(questionId)}`;
}

export const QuestionView = memo(function QuestionView(props: QuestionProps) {
  const { question, number } = props;
  const t = useTranslations("questions");
  return (
    <section className={styles.question} aria-labelledby={headingId(question.id)}>
      <header className={styles.head}>
        <h2 id={headingId(question.id)} tabIndex={-1} className={styles.heading}>
          {t("heading", { number })}
        </h2>
        <span className={styles.points}>{t("points", { points: question.points })}</span>
      </header>
      <div id={textId(question.id)} className={styles.asked}>
        <RichText text={question.text} />
      </div>
      <Media media={question.media} />
      <AnswerField {...props} />
    </section>
  );
});

function AnswerField(props: QuestionProps) {
  switch (props.question.type) {
    case "single_choice":
    case "true_false":
      return <Choices {...props} />;
    case "multi_choice":
      return <MultipleChoices {...props} />;
    case "numeric":
      return <NumberAnswer {...props} />;
    case "short_text":
      return <ShortText {...props} />;
    case "text":
      return <LongText {...props} />;
    case "image":
      return <ImageAnswer {...props} />;
  }
}

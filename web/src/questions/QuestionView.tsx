"use client";
/** A question as it is shown and answered: props in, answers out, no store. */
import { memo } from "react";
import { useTranslations } from "use-intl";
import { RichText } from "@/text/RichText";
import { Choices, MultipleChoices } from "./Choices";
import { ImageAnswer } from "./ImageAnswer";
import { Media } from "./Media";
import { NumberAnswer } from "./NumberAnswer";
import { headingId, type QuestionProps, textId } from "./question";
import styles from "./questions.module.css";
import { LongText, ShortText } from "./TextAnswer";

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

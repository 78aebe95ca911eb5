"use client";
/** What a student answered, or what is right. */
import { useTranslations } from "use-intl";
import type { FullResultItem, Question } from "@/api/staff.gen";
import { Picture } from "@/text/Picture";
import { RichText } from "@/text/RichText";
import { Hint } from "@/ui";
import { answerLines, keyLines, type Line } from "./answer";
import styles from "./results.module.css";

interface Props {
  answer: FullResultItem["answer"];
  question: Question | undefined;
}

export function AnswerView({ answer, question }: Props) {
  const t = useTranslations("builder.answer");
  const lines = answerLines(answer, question, { yes: t("true"), no: t("false") });
  if (!lines.length) return <Hint>{t("none")}</Hint>;
  if (question?.type === "image" && typeof answer === "string")
    return <Picture fileId={answer} alt={t("picture")} />;
  return <Lines lines={lines} />;
}

export function KeyView({ question }: { question: Question | undefined }) {
  const t = useTranslations("builder.answer");
  const lines = keyLines(question, { yes: t("true"), no: t("false") });
  return lines.length ? <Lines lines={lines} /> : null;
}

function Lines({ lines }: { lines: Line[] }) {
  return (
    <div className={styles.answer}>
      {lines.map(({ letter, text }) => (
        <div key={letter + text} className={styles.line}>
          {letter ? <b>{letter}</b> : null}
          <div dir="auto">
            <RichText text={text} />
          </div>
        </div>
      ))}
    </div>
  );
}

"use client";
/** An answer as text: the options' words instead of their letters. */
import { useTranslations } from "use-intl";
import type { AttemptQuestion } from "@/api/student.gen";
import type { Answer } from "@/questions/types";
import { RichText } from "@/text/RichText";

export function AnswerText({ question, answer }: { question: AttemptQuestion; answer: Answer }) {
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

"use client";
/** Answers as one reads them, with the options' texts where they are known. */
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { MyResultItem, Option } from "@/api/student.gen";
import type { Answer } from "@/questions/types";
import { Picture } from "@/text/Picture";
import { RichText } from "@/text/RichText";
import styles from "./student.module.css";

export interface Shown {
  /** null: not told. */
  type: string | null;
  options: Option[];
}

const FILE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function Given({ answer, shown }: { answer: Answer; shown: Shown }): ReactNode {
  const t = useTranslations("results");
  const q = useTranslations("questions");
  if (answer === null || answer.length === 0) return t("noAnswer");
  if (Array.isArray(answer)) return <Chosen ids={answer} options={shown.options} />;
  if (shown.options.length) return <Chosen ids={[answer]} options={shown.options} />;
  if (isTruth(answer, shown.type)) return q(answer);
  if (shown.type === "image" || (shown.type === null && FILE_ID.test(answer))) {
    return <Picture fileId={answer} alt={q("yourPicture")} />;
  }
  // A number is no list, and "5 * 3 * 2" no emphasis.
  if (shown.type === "numeric" || shown.type === "short_text") return <bdi>{answer}</bdi>;
  return <RichText text={answer} />;
}

function isTruth(answer: string, type: string | null): answer is "true" | "false" {
  return (type === null || type === "true_false") && (answer === "true" || answer === "false");
}

function Chosen({ ids, options }: { ids: string[]; options: Option[] }) {
  return (
    <ul className={styles.options}>
      {ids.map((id) => {
        const option = options.find((one) => one.id === id);
        return (
          <li key={id}>
            <strong>{id}</strong>
            {option ? (
              <>
                {" "}
                <RichText text={option.text} inline />
              </>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

export function Right({
  answer,
  shown,
}: {
  answer: NonNullable<MyResultItem["correct_answer"]>;
  shown: Shown;
}): ReactNode {
  const t = useTranslations("results");
  if (typeof answer === "string" || Array.isArray(answer)) return <Given answer={answer} shown={shown} />;
  if ("value" in answer) {
    return <bdi>{Number(answer.tolerance) ? `${answer.value} ± ${answer.tolerance}` : answer.value}</bdi>;
  }
  return (
    <>
      <ul className={styles.options}>
        {answer.accepted.map((text) => (
          <li key={text} dir="auto">
            {text}
          </li>
        ))}
      </ul>
      {answer.case_sensitive ? <p>{t("caseSensitive")}</p> : null}
    </>
  );
}

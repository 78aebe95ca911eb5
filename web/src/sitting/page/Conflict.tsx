"use client";
/** Two answers to one question: both texts, and the choice. */
import { useTranslations } from "use-intl";
import type { AttemptQuestion } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { Button, Note } from "@/ui";
import { type Entry, isUndecided, type Other } from "../entry";
import { AnswerText } from "./AnswerText";
import { useSitting } from "./context";
import { focusQuestion } from "./focus";
import styles from "./sitting.module.css";

interface Props {
  question: AttemptQuestion;
  entry: Entry;
  other: Other;
}

export function Conflict({ question, entry, other }: Props) {
  const t = useTranslations("sitting");
  const moment = useMoment();
  const sitting = useSitting();
  // Who goes on typing has chosen; the other text stays in sight all the same.
  const open = isUndecided(entry);
  function decide(which: "mine" | "other") {
    sitting.decide(question.id, which);
    // The buttons go: the focus must not go with them.
    focusQuestion(sitting.state);
  }
  return (
    <Note tone={open ? "bad" : "warn"}>
      <strong>{t("conflict.title")}</strong>
      <p>{open ? t("conflict.text") : t("conflict.wentOn")}</p>
      <div className={styles.sides}>
        <Side
          title={t("conflict.mine")}
          when={moment(entry.changedAt)}
          question={question}
          answer={entry.answer}
          action={t("conflict.keepMine")}
          onChoose={() => decide("mine")}
        />
        <Side
          title={t("conflict.other")}
          when={moment(other.savedAt)}
          question={question}
          answer={other.answer}
          action={t("conflict.takeOther")}
          onChoose={() => decide("other")}
        />
      </div>
    </Note>
  );
}

interface SideProps {
  title: string;
  when: string | null;
  question: AttemptQuestion;
  answer: Other["answer"];
  action: string;
  onChoose: () => void;
}

function Side({ title, when, question, answer, action, onChoose }: SideProps) {
  return (
    <div className={styles.side}>
      <h3>{title}</h3>
      {when ? <p className={styles.when}>{when}</p> : null}
      <AnswerText question={question} answer={answer} label={title} />
      <div>
        <Button onClick={onChoose}>{action}</Button>
      </div>
    </div>
  );
}

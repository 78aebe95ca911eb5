"use client";
/** The questions as a student meets them; answers go nowhere. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import type { AttemptQuestion } from "@/api/student.gen";
import { QuestionView } from "@/questions/QuestionView";
import type { Answer } from "@/questions/types";
import { Button, Dialog, Hint, Loading } from "@/ui";
import type { Draft } from "./draft";

interface Props {
  open: boolean;
  draft: Draft;
  known: ReadonlyMap<string, Question>;
  onClose: () => void;
}

export function Preview({ open, draft, known, onClose }: Props) {
  const t = useTranslations("builder.preview");
  const c = useTranslations("common");
  const [wanted, setWanted] = useState(0);
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const count = draft.questions.length;
  const place = Math.min(wanted, count - 1);
  const shown = draft.questions[place];
  const question = shown ? known.get(shown.id) : undefined;
  const actions = (
    <>
      <Button disabled={place <= 0} onClick={() => setWanted(place - 1)}>
        {t("previous")}
      </Button>
      <Button disabled={place >= count - 1} onClick={() => setWanted(place + 1)}>
        {t("next")}
      </Button>
      <Button look="primary" onClick={onClose}>
        {c("close")}
      </Button>
    </>
  );
  return (
    <Dialog open={open} onClose={onClose} title={t("title")} wide actions={actions}>
      <Hint>{t("about", { place: place + 1, count })}</Hint>
      {question && shown ? (
        <QuestionView
          key={question.id}
          question={asStudentsSee(question, place, shown.points)}
          number={place + 1}
          answer={answers[question.id] ?? null}
          onAnswer={(answer) => setAnswers((before) => ({ ...before, [question.id]: answer }))}
          disabled={false}
          attemptId=""
          practice
        />
      ) : (
        <Loading>{c("loading")}</Loading>
      )}
    </Dialog>
  );
}

function asStudentsSee(question: Question, place: number, points: string): AttemptQuestion {
  const { id, type, text, options, media } = question;
  return { id, type, text, options, media, points: Number(points || question.points), order: place + 1 };
}

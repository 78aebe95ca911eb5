"use client";
/** One answer, what is known to judge it by, and the mark. */
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { Question, QueueItem } from "@/api/staff.gen";
import { usePutMarkMutation } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { RichText } from "@/text/RichText";
import { Badge, Button, Row, Stack, TextArea, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import exams from "../exams/exams.module.css";
import { toldOf } from "../exams/faults";
import { AnswerView } from "../results/AnswerView";
import results from "../results/results.module.css";
import { scoreFault } from "./score";

export function MarkCard({ item, question }: { item: QueueItem; question: Question | undefined }) {
  const t = useTranslations("builder.marking");
  const moment = useMoment();
  const name = item.student_name || item.student_email || item.student_id;
  return (
    <article className={results.item}>
      <div className={results.itemHead}>
        <h2 dir="auto">{name}</h2>
        <span className={exams.soft}>{t("submitted", { at: moment(item.submitted_at) ?? "" })}</span>
      </div>
      <dl className={results.told}>
        <div>
          <dt>{t("question")}</dt>
          <dd dir="auto">{question ? <RichText text={question.text} /> : "…"}</dd>
        </div>
        {item.explanation ? (
          <div>
            <dt>{t("guidance")}</dt>
            <dd dir="auto">
              <RichText text={item.explanation} />
            </dd>
          </div>
        ) : null}
      </dl>
      <dl className={results.told}>
        <div>
          <dt>{t("answer")}</dt>
          <dd>
            <AnswerView answer={item.answer} question={question} />
          </dd>
        </div>
      </dl>
      <MarkForm item={item} name={name} />
    </article>
  );
}

/** The score stays as typed when it could not be saved. */
function MarkForm({ item, name }: { item: QueueItem; name: string }) {
  const t = useTranslations("builder.marking");
  const [put, { isLoading, error, data }] = usePutMarkMutation();
  const [typed, setTyped] = useState({ score: "", comment: "" });
  const [stored, setStored] = useState<typeof typed | null>(null);
  const [tried, setTried] = useState(false);
  const fault = scoreFault(typed.score, item.max_score);
  const told = toldOf(error);
  const isStored = data && stored?.score === typed.score && stored.comment === typed.comment;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (isLoading || fault) return;
    const answer = await put({
      studentExamId: item.student_exam_id,
      questionId: item.question_id,
      mark: { score: Number(typed.score), comment: typed.comment },
    });
    if (answer.data) setStored(typed);
  }

  return (
    <form onSubmit={submit} noValidate aria-label={t("markOf", { name })}>
      <Stack>
        <div className={results.score}>
          <TextField
            label={t("score")}
            hint={t("most", { most: item.max_score })}
            type="number"
            min={0}
            max={item.max_score}
            step={0.01}
            value={typed.score}
            error={tried && fault ? t(fault, { most: item.max_score }) : told.score}
            onChange={(event) => setTyped({ ...typed, score: event.target.value })}
          />
          <Button small onClick={() => setTyped({ ...typed, score: String(item.max_score) })}>
            {t("full")}
          </Button>
          <Button small onClick={() => setTyped({ ...typed, score: "0" })}>
            {t("zero")}
          </Button>
        </div>
        <TextArea
          label={t("comment")}
          hint={t("commentHint")}
          dir="auto"
          rows={2}
          maxLength={10_000}
          value={typed.comment}
          error={told.comment}
          onChange={(event) => setTyped({ ...typed, comment: event.target.value })}
        />
        {error && !told.score && !told.comment ? <Problem error={error} /> : null}
        <Row>
          <Button look={isStored ? "plain" : "primary"} type="submit" busy={isLoading}>
            {stored ? t("change") : t("save")}
          </Button>
          <span role="status">{isStored ? <Badge tone="good">{t("saved")}</Badge> : null}</span>
        </Row>
      </Stack>
    </form>
  );
}

"use client";
/** Before handing in: what is unanswered, flagged or undecided; then one confirmation. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import { cancelUpload } from "@/questions/upload";
import { Button, Card, Dialog, Note, Row, Stack } from "@/ui";
import { act, questionsOf } from "../slice";
import { countsOf, type Listed, reviewOf } from "../standing";
import { useShown, useSitting } from "./context";
import { FocusedHeading } from "./FocusedHeading";
import { focusQuestion } from "./focus";
import { NumberLinks } from "./Navigator";
import styles from "./sitting.module.css";

export function Review({ onBack }: { onBack: () => void }) {
  const t = useTranslations("sitting");
  const sitting = useSitting();
  const review = useShown(reviewOf);
  const count = useShown((state) => questionsOf(state).length);
  const answered = useShown((state) => countsOf(state).answered);
  const [asking, setAsking] = useState(false);
  function go(place: number) {
    onBack();
    sitting.dispatch(act.placeChanged(place));
    window.requestAnimationFrame(() => focusQuestion(sitting.state));
  }
  const sending = review.sending.length > 0;
  const fine = [review.unanswered, review.flagged, review.sending, review.unsent].every((one) => !one.length);
  return (
    <Card>
      <Stack>
        <FocusedHeading>{t("reviewTitle")}</FocusedHeading>
        <p>{t("answeredOf", { answered, count })}</p>
        {fine ? <Note tone="good">{t("allAnswered")}</Note> : null}
        <Some
          title={t("conflict.some", { count: review.undecided.length })}
          listed={review.undecided}
          onGo={go}
        />
        <Some title={t("refusedSome", { count: review.refused.length })} listed={review.refused} onGo={go} />
        <Some title={t("unsentSome", { count: review.unsent.length })} listed={review.unsent} onGo={go} />
        <Some
          title={t("unansweredSome", { count: review.unanswered.length })}
          listed={review.unanswered}
          onGo={go}
        />
        <Some title={t("flaggedSome", { count: review.flagged.length })} listed={review.flagged} onGo={go} />
        <Pictures listed={review.sending} onGo={go} />
        <Row>
          <Button onClick={onBack}>{t("backToExam")}</Button>
          <Button look="primary" disabled={sending} onClick={() => setAsking(true)}>
            {t("handIn")}
          </Button>
        </Row>
      </Stack>
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={t("confirmTitle")}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{t("backToExam")}</Button>
            <Button look="primary" onClick={() => sitting.handIn()}>
              {t("confirm")}
            </Button>
          </>
        }
      >
        <p>{t("confirmText")}</p>
        {review.unanswered.length > 0 ? (
          <p>{t("unansweredSome", { count: review.unanswered.length })}</p>
        ) : null}
      </Dialog>
    </Card>
  );
}

/** Handing in waits for them, or they are given up. */
function Pictures({ listed, onGo }: { listed: Listed[]; onGo: (place: number) => void }) {
  const t = useTranslations("sitting");
  const { attempt: attemptId } = useSitting();
  if (listed.length === 0) return null;
  return (
    <Note tone="warn" live>
      <p>{t("sendingSome", { count: listed.length })}</p>
      <NumberLinks listed={listed} onGo={onGo} />
      <div>
        <Button
          small
          onClick={() => {
            for (const { id: questionId } of listed) cancelUpload({ attemptId, questionId });
          }}
        >
          {t("dontSend")}
        </Button>
      </div>
    </Note>
  );
}

function Some({ title, listed, onGo }: { title: string; listed: Listed[]; onGo: (place: number) => void }) {
  if (listed.length === 0) return null;
  return (
    <section className={styles.some}>
      <h3>{title}</h3>
      <NumberLinks listed={listed} onGo={onGo} />
    </section>
  );
}

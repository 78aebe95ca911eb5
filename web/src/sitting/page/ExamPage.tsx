"use client";
/** The exam page in each of its phases. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button, Card, Note, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { useShown, useSitting } from "./context";
import { ExamBar } from "./ExamBar";
import { FocusedHeading } from "./FocusedHeading";
import { Told } from "./Outcome";
import { Receipt } from "./Receipt";
import { Review } from "./Review";
import { usePageEvents } from "./usePageEvents";
import { Workspace } from "./Workspace";

export function ExamPage() {
  const t = useTranslations("sitting");
  const phase = useShown((state) => state.phase);
  const title = useShown((state) => state.paper?.exam.title ?? "");
  const durable = useShown((state) => state.durable);
  const { practice } = useSitting().around;
  usePageEvents();
  switch (phase.kind) {
    case "none":
      return null;
    case "closed":
      return <Receipt submitted={phase.submitted} by={phase.by} title={title} practice={practice} />;
    case "void":
      return (
        <Told title={t("outcome.void.title")}>
          <p>{t("outcome.void.text")}</p>
        </Told>
      );
    case "lost":
      return (
        <Told title={t("outcome.failed.title")}>
          <Problem error={phase.problem} />
          {durable ? <p>{t("kept")}</p> : null}
        </Told>
      );
    default:
      return <Running />;
  }
}

function Running() {
  const phase = useShown((state) => state.phase);
  const [reviewing, setReviewing] = useState(false);
  const open = phase.kind === "open";
  return (
    <Stack>
      <ExamBar onReview={open && !reviewing ? () => setReviewing(true) : null} />
      <Notices />
      {phase.kind === "handingIn" ? (
        <HandingIn />
      ) : open && reviewing ? (
        <Review onBack={() => setReviewing(false)} />
      ) : (
        <Workspace disabled={!open} onReview={() => setReviewing(true)} />
      )}
    </Stack>
  );
}

function Notices() {
  const t = useTranslations("sitting");
  const phase = useShown((state) => state.phase);
  const durable = useShown((state) => state.durable);
  const fromJournal = useShown((state) => state.fromJournal);
  return (
    <>
      {phase.kind === "paused" ? (
        <Note tone="warn" live>
          {t("paused")}
        </Note>
      ) : null}
      {durable ? null : <Note tone="warn">{t("notDurable")}</Note>}
      {fromJournal ? <Note tone="warn">{t("fromJournal")}</Note> : null}
    </>
  );
}

function HandingIn() {
  const t = useTranslations("sitting");
  const sitting = useSitting();
  const phase = useShown((state) => state.phase);
  const durable = useShown((state) => state.durable);
  if (phase.kind !== "handingIn") return null;
  return (
    <Card>
      <Stack>
        {phase.by === "time" ? (
          <Note tone="bad" live>
            <strong>{t("timeExpired")}</strong>
          </Note>
        ) : null}
        <FocusedHeading>{t("handingIn")}</FocusedHeading>
        {phase.problem ? (
          <>
            <Problem error={phase.problem} bySelf />
            <p>{durable ? t("handingInFailed") : t("handingInFailedUnkept")}</p>
            <Row>
              <Button look="primary" onClick={() => sitting.wake()}>
                {t("tryNow")}
              </Button>
              {phase.by === "person" ? (
                <Button onClick={() => sitting.goBack()}>{t("backToExam")}</Button>
              ) : null}
            </Row>
          </>
        ) : (
          <p role="status">{t("handingInWait")}</p>
        )}
      </Stack>
    </Card>
  );
}

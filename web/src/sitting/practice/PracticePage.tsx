"use client";
/** Try the device and the exam page, without an account and without consequences. */
import { useEffect, useState } from "react";
import { useStore } from "react-redux";
import { useTranslations } from "use-intl";
import type { AppStore } from "@/store";
import { Button, ButtonLink, Card, Note, Row, Stack } from "@/ui";
import { PageTitle, Shell } from "@/ui/Shell";
import { heard } from "../clock";
import { BLANK } from "../entry";
import { BROWSER } from "../page/browser";
import { SittingContext, useShown } from "../page/context";
import { ExamPage } from "../page/ExamPage";
import { Sitting } from "../sitting";
import { DeviceCheck } from "./DeviceCheck";
import { PRACTICE_MINUTES, practiceAttempt } from "./practice-exam";
import { practiceTransport } from "./practice-transport";

export function PracticePage() {
  const store = useStore() as AppStore;
  const t = useTranslations("sitting.practice");
  const [sitting, setSitting] = useState<Sitting | null>(null);
  useEffect(() => () => sitting?.leave(), [sitting]);
  return (
    <Shell home="/">
      {sitting ? (
        <SittingContext value={sitting}>
          <Running />
          <ExamPage />
        </SittingContext>
      ) : (
        <>
          <Card>
            <Stack>
              <PageTitle>{t("heading")}</PageTitle>
              <p>{t("text", { minutes: PRACTICE_MINUTES })}</p>
              <Row>
                <Button look="primary" onClick={() => setSitting(begin(store, t))}>
                  {t("start")}
                </Button>
                <ButtonLink href="/">{t("back")}</ButtonLink>
              </Row>
            </Stack>
          </Card>
          <DeviceCheck />
        </>
      )}
    </Shell>
  );
}

/** The receipt has a word of its own for it. */
function Running() {
  const t = useTranslations("sitting.practice");
  const closed = useShown((state) => state.phase.kind === "closed");
  return closed ? null : <Note>{t("running")}</Note>;
}

function begin(store: AppStore, say: (key: string) => string): Sitting {
  const now = BROWSER.now();
  const id = `practice-${now.wall}`;
  const attempt = practiceAttempt((key) => say(`exam.${key}`), id, now.wall);
  const transport = practiceTransport(attempt, Date.now);
  const { saved_answers: _, ...paper } = attempt;
  return new Sitting(
    {
      ...BROWSER,
      store,
      transport,
      journal: null,
      user: "practice",
      practice: true,
      unsavedFor: () => undefined,
    },
    {
      paper,
      entries: Object.fromEntries(paper.questions.map((question) => [question.id, BLANK])),
      clock: heard(null, attempt, now, now),
      durable: true,
      savedAt: null,
      fromJournal: false,
    },
  );
}

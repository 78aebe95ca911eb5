"use client";
/** The questions, the way around them, and what the person must decide. */
import dynamic from "next/dynamic";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { RichText } from "@/text/RichText";
import { Button, Card, Dialog, Note } from "@/ui";
import { act, questionsOf } from "../slice";
import { reviewOf } from "../standing";
import { useShown, useSitting } from "./context";
import { focusQuestion } from "./focus";
import { Navigator, NumberLinks } from "./Navigator";
import { Question } from "./Question";
import { ShortcutsDialog } from "./ShortcutsDialog";
import styles from "./sitting.module.css";
import { useShortcuts } from "./useShortcuts";

const AllQuestions = dynamic(() =>
  import("./AllQuestions").then(
    (part) => part.AllQuestions,
    () => OneAtATime,
  ),
);

export function Workspace({ disabled, onReview }: { disabled: boolean; onReview: () => void }) {
  const layout = useShown((state) => state.layout);
  const { go, step, flag, toggleLayout } = useMoves();
  const [helping, setHelping] = useState(false);
  const review = disabled ? null : onReview;
  useShortcuts({
    next: () => step(1),
    previous: () => step(-1),
    flag,
    layout: toggleLayout,
    review: () => review?.(),
    help: () => setHelping(true),
  });
  return (
    <div className={styles.workspace}>
      <div className={styles.column}>
        <Instructions />
        <Undecided onGo={go} />
        {layout === "one" ? <OneQuestion disabled={disabled} /> : <AllQuestions disabled={disabled} />}
        <Pager onStep={step} onGo={go} onReview={review} />
      </div>
      <aside className={styles.aside}>
        <Navigator onGo={go} onLayout={toggleLayout} onHelp={() => setHelping(true)} />
      </aside>
      <ShortcutsDialog open={helping} onClose={() => setHelping(false)} />
    </div>
  );
}

function useMoves() {
  const sitting = useSitting();
  const place = useShown((state) => state.place);
  const moved = useRef(false);
  const go = useCallback(
    (to: number) => {
      moved.current = true;
      sitting.dispatch(act.placeChanged(to));
      focusQuestion(sitting.state);
    },
    [sitting],
  );
  // The question that has come in its place is there only after rendering.
  useEffect(() => {
    if (moved.current && place >= 0) focusQuestion(sitting.state);
  }, [place, sitting]);
  return {
    go,
    step: (by: number) => go(sitting.state.place + by),
    flag: () => {
      const question = questionsOf(sitting.state)[sitting.state.place];
      if (question) sitting.flag(question.id);
    },
    toggleLayout: () => {
      sitting.dispatch(act.layoutChanged(sitting.state.layout === "one" ? "all" : "one"));
      // What had the focus may be gone.
      window.requestAnimationFrame(() => focusQuestion(sitting.state));
    },
  };
}

function OneQuestion({ disabled }: { disabled: boolean }) {
  const place = useShown((state) => state.place);
  const id = useShown((state) => questionsOf(state)[state.place]?.id);
  if (id === undefined) return null;
  return (
    <Card>
      <Question key={id} id={id} place={place} disabled={disabled} />
    </Card>
  );
}

/** Where the other layout could not be loaded. */
function OneAtATime({ disabled }: { disabled: boolean }) {
  const sitting = useSitting();
  useEffect(() => {
    sitting.dispatch(act.layoutChanged("one"));
  }, [sitting]);
  return <OneQuestion disabled={disabled} />;
}

function Instructions() {
  const t = useTranslations("sitting");
  const instructions = useShown((state) => state.paper?.exam.instructions);
  if (!instructions) return null;
  return (
    <details className={styles.instructions}>
      <summary>{t("instructions")}</summary>
      <div className={styles.instructionsText}>
        <RichText text={instructions} />
      </div>
    </details>
  );
}

function Undecided({ onGo }: { onGo: (place: number) => void }) {
  const t = useTranslations("sitting");
  const { undecided } = useShown(reviewOf);
  if (undecided.length === 0) return null;
  return (
    <Note tone="bad" live>
      <p>{t("conflict.some", { count: undecided.length })}</p>
      <NumberLinks listed={undecided} onGo={onGo} />
    </Note>
  );
}

interface PagerProps {
  onStep: (by: number) => void;
  onGo: (place: number) => void;
  onReview: (() => void) | null;
}

function Pager({ onStep, onGo, onReview }: PagerProps) {
  const t = useTranslations("sitting");
  const place = useShown((state) => state.place);
  const layout = useShown((state) => state.layout);
  const count = useShown((state) => questionsOf(state).length);
  const [open, setOpen] = useState(false);
  const last = place >= count - 1 || layout === "all";
  return (
    <div className={styles.pager}>
      {layout === "one" ? (
        <Button onClick={() => onStep(-1)} disabled={place === 0}>
          {t("previous")}
        </Button>
      ) : null}
      <span className={styles.jump}>
        <Button
          look="quiet"
          onClick={() => setOpen(true)}
          aria-label={t("jump", { number: place + 1, count })}
        >
          {t("placeOf", { number: place + 1, count })} ▾
        </Button>
      </span>
      {last ? (
        <ReviewButton onReview={onReview} />
      ) : (
        <Button look="primary" onClick={() => onStep(1)}>
          {t("next")}
        </Button>
      )}
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title={t("questions")}
        actions={
          <>
            <CloseButton onClose={() => setOpen(false)} />
            <ReviewButton onReview={onReview} />
          </>
        }
      >
        <Navigator
          onGo={(to) => {
            setOpen(false);
            onGo(to);
          }}
        />
      </Dialog>
    </div>
  );
}

function ReviewButton({ onReview }: Pick<PagerProps, "onReview">) {
  const t = useTranslations("sitting");
  if (!onReview) return null;
  return (
    <Button look="primary" onClick={onReview}>
      {t("review")}
    </Button>
  );
}

function CloseButton({ onClose }: { onClose: () => void }) {
  const c = useTranslations("common");
  return <Button onClick={onClose}>{c("close")}</Button>;
}

"use client";
/** All questions by number: answered, not answered, flagged, where one is. */
import { memo } from "react";
import { useTranslations } from "use-intl";
import { Button, Row, Stack } from "@/ui";
import { isAnswered, isRefused, isUndecided } from "../entry";
import { questionsOf } from "../slice";
import { countsOf, type Listed } from "../standing";
import { useShown } from "./context";
import styles from "./sitting.module.css";

interface Props {
  onGo: (place: number) => void;
  onLayout?: () => void;
  onHelp?: () => void;
}

export function Navigator({ onGo, onLayout, onHelp }: Props) {
  const t = useTranslations("sitting");
  const questions = useShown(questionsOf);
  const answered = useShown((state) => countsOf(state).answered);
  const layout = useShown((state) => state.layout);
  return (
    <nav aria-label={t("questions")}>
      <Stack>
        <p className={styles.count}>{t("answeredOf", { answered, count: questions.length })}</p>
        <ol className={styles.numbers}>
          {questions.map(({ id }, place) => (
            <NumberButton key={id} id={id} place={place} onGo={onGo} />
          ))}
        </ol>
        <p className={styles.legend}>
          <span>✓ {t("answered")}</span>
          <span>⚑ {t("flagged")}</span>
        </p>
        {onLayout || onHelp ? (
          <Row>
            {onLayout ? (
              <Button small onClick={onLayout}>
                {layout === "one" ? t("showAll") : t("showOne")}
              </Button>
            ) : null}
            {onHelp ? (
              <Button small look="quiet" onClick={onHelp}>
                {t("shortcuts.title")}
              </Button>
            ) : null}
          </Row>
        ) : null}
      </Stack>
    </nav>
  );
}

type State = "undecided" | "refused" | "answered" | "unanswered";
const SIGNS: Record<State, string> = { undecided: "!", refused: "!", answered: "✓", unanswered: "" };

interface NumberProps {
  id: string;
  place: number;
  onGo: (place: number) => void;
}

const NumberButton = memo(function NumberButton({ id, place, onGo }: NumberProps) {
  const t = useTranslations("sitting");
  const current = useShown((state) => state.place === place);
  const flagged = useShown((state) => state.entries[id]?.flagged ?? false);
  const state = useShown(({ entries }): State => {
    const entry = entries[id];
    if (!entry) return "unanswered";
    if (isUndecided(entry)) return "undecided";
    if (isRefused(entry)) return "refused";
    return isAnswered(entry) ? "answered" : "unanswered";
  });
  const label = [t("question", { number: place + 1 }), t(state), flagged ? t("flagged") : ""];
  return (
    <li>
      <button
        type="button"
        className={styles.number}
        data-state={state}
        aria-current={current ? "step" : undefined}
        aria-label={label.filter(Boolean).join(", ")}
        onClick={() => onGo(place)}
      >
        {place + 1}
        <span className={styles.sign}>{SIGNS[state]}</span>
        {flagged ? <span className={styles.flag}>⚑</span> : null}
      </button>
    </li>
  );
});

/** Some questions by number, in a text. */
export function NumberLinks({ listed, onGo }: { listed: Listed[]; onGo: (place: number) => void }) {
  const t = useTranslations("sitting");
  return (
    <ul className={styles.numbers}>
      {listed.map(({ id, number }) => (
        <li key={id}>
          <button
            type="button"
            className={styles.number}
            aria-label={t("question", { number })}
            onClick={() => onGo(number - 1)}
          >
            {number}
          </button>
        </li>
      ))}
    </ul>
  );
}

"use client";
/** The time that is left. It can be hidden; the last minutes are announced all the same. */
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/ui";
import { asTimer, shownMs, urgency } from "../clock";
import { BROWSER } from "./browser";
import { useShown } from "./context";
import styles from "./sitting.module.css";

const LOOK_MS = 250;

export function Timer() {
  const t = useTranslations("sitting");
  const announced = useShown((state) => state.announced);
  const [hidden, setHidden] = useState(false);
  const left = useLeft();
  if (left === null) return null;
  return (
    <div className={styles.timer} data-urgency={urgency(left)}>
      {hidden ? null : (
        <span role="timer" aria-label={t("timeLeft")}>
          <span className={styles.digits}>{asTimer(left)}</span>
        </span>
      )}
      <Button look="quiet" small aria-pressed={hidden} onClick={() => setHidden(!hidden)}>
        {hidden ? t("showTimer") : t("hideTimer")}
      </Button>
      <span className="visually-hidden" role="status">
        {announced === null ? "" : t("minutesLeft", { minutes: announced })}
      </span>
    </div>
  );
}

/** In whole seconds, as ms: rendered once a second. */
function useLeft(): number | null {
  const clock = useShown((state) => state.clock);
  const paused = useShown((state) => state.phase.kind === "paused");
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    // A pause is given back by the server: until it says how much, the time stands still.
    if (!clock || paused) return;
    const look = () => setLeft(Math.ceil(shownMs(clock, BROWSER.now()) / 1000) * 1000);
    look();
    const looking = window.setInterval(look, LOOK_MS);
    return () => window.clearInterval(looking);
  }, [clock, paused]);
  return left;
}

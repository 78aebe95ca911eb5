"use client";
/** Opens the sitting of a person at an exam, and leaves it with the page. */
import { useCallback, useEffect, useState } from "react";
import { useStore } from "react-redux";
import type { ApiProblem } from "@/api/problem";
import type { Submitted } from "@/api/student.gen";
import { reportUnsaved } from "@/report";
import type { AppStore } from "@/store";
import { apiTransport } from "../api-transport";
import { backoff, isLoggedOut, isPassing } from "../backoff";
import { type Closed, type Opening, open } from "../open";
import { Sitting } from "../sitting";
import { act } from "../slice";
import { BROWSER } from "./browser";

export type Place =
  | { kind: "loading" }
  | { kind: "sitting"; sitting: Sitting }
  | Exclude<Opening, { kind: "opened" }>;

export function useOpening(user: string, exam: string): { place: Place; again: () => void } {
  const store = useStore() as AppStore;
  const [place, setPlace] = useState<Place>({ kind: "loading" });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    let sitting: Sitting | null = null;
    let retrying: number | undefined;
    // What went wrong stays in sight while it is tried again.
    setPlace((now) => (now.kind === "failed" ? now : { kind: "loading" }));
    open({ user, exam, transport: apiTransport, now: BROWSER.now }).then((opening) => {
      if (opening.kind !== "opened") {
        if (gone) return;
        if (opening.kind === "closed" && opening.kept) show(store, opening.kept, opening.submitted);
        if (opening.kind === "failed" && isTriedAgain(opening.problem)) {
          const wait = backoff(tries + 1, Math.random, opening.problem.retryAfter);
          retrying = window.setTimeout(() => setTries((count) => count + 1), wait);
        }
        setPlace(opening);
        return;
      }
      const { journal, opened, storage } = opening;
      if (gone) return void storage.then((late) => late?.close());
      const late = journal ? {} : { late: storage };
      const around = { ...BROWSER, store, transport: apiTransport, journal, user, ...late };
      sitting = new Sitting({ ...around, practice: false, unsavedFor: reportUnsaved }, opened);
      setPlace({ kind: "sitting", sitting });
    });
    return () => {
      gone = true;
      window.clearTimeout(retrying);
      if (sitting) sitting.leave();
      else store.dispatch(act.left());
    };
  }, [user, exam, store, tries]);
  return { place, again: useCallback(() => setTries((count) => count + 1), []) };
}

/** Without the person's doing. */
export function isTriedAgain(problem: ApiProblem): boolean {
  return isPassing(problem) && !isLoggedOut(problem);
}

/** For the receipt to name what was not taken, with its text. */
function show(store: AppStore, { opened, answers }: Closed, submitted: Submitted): void {
  const rejected = submitted.rejected.map((one) => one.question_id);
  store.dispatch(act.opened(opened));
  store.dispatch(act.handedIn({ answers, rejected }));
}

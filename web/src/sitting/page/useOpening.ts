"use client";
/** Opens the sitting of a person at an exam, and leaves it with the page. */
import { useCallback, useEffect, useState } from "react";
import { useStore } from "react-redux";
import { reportUnsaved } from "@/report";
import type { AppStore } from "@/store";
import { apiTransport } from "../api-transport";
import { type Opening, open } from "../open";
import { Sitting } from "../sitting";
import { BROWSER } from "./browser";

export type Place =
  | { kind: "loading" }
  | { kind: "sitting"; sitting: Sitting }
  | Exclude<Opening, { kind: "opened" }>;

export function useOpening(user: string, exam: string): { place: Place; again: () => void } {
  const store = useStore() as AppStore;
  const [place, setPlace] = useState<Place>({ kind: "loading" });
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` asks for another try
  useEffect(() => {
    let gone = false;
    let sitting: Sitting | null = null;
    setPlace({ kind: "loading" });
    open({ user, exam, transport: apiTransport, now: BROWSER.now }).then((opening) => {
      if (opening.kind !== "opened") {
        if (!gone) setPlace(opening);
        return;
      }
      if (gone) return opening.journal?.close();
      const { journal, opened } = opening;
      const around = { ...BROWSER, store, transport: apiTransport, journal, user };
      sitting = new Sitting({ ...around, practice: false, unsavedFor: reportUnsaved }, opened);
      setPlace({ kind: "sitting", sitting });
    });
    return () => {
      gone = true;
      sitting?.leave();
    };
  }, [user, exam, store, tries]);
  return { place, again: useCallback(() => setTries((count) => count + 1), []) };
}

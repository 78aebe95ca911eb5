"use client";
/** The session as React sees it: unknown until the first answer of the server. */
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { type ApiProblem, isProblem } from "@/api/problem";
import { freshSession, onSession, type Session, session } from "./token";

export type SessionState =
  | { state: "unknown" }
  | { state: "out"; problem: ApiProblem | null }
  | { state: "in"; session: Session };

export function useSession(): SessionState {
  const current = useSyncExternalStore(onSession, session, () => null);
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  useEffect(() => {
    if (session()) {
      // Known from another page of this tab: should it end, there is nothing more to ask.
      setAsked(true);
      return;
    }
    let gone = false;
    freshSession().then((found) => {
      if (gone) return;
      setProblem(isProblem(found) ? found : null);
      setAsked(true);
    });
    return () => {
      gone = true;
    };
  }, []);
  // The same as long as nothing has changed: effects go by it.
  return useMemo(() => {
    if (current) return { state: "in", session: current };
    return asked ? { state: "out", problem } : { state: "unknown" };
  }, [current, asked, problem]);
}

"use client";
/** What happens to the page while an exam is sat: looked away, pasted, network gone and back, about to be left. */
import { useEffect } from "react";
import { countsOf } from "../standing";
import { useSitting } from "./context";

const SCATTER_MS = 3_000;

export function usePageEvents(): void {
  const sitting = useSitting();
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const report = (kind: Parameters<typeof sitting.report>[0]) => () => sitting.report(kind);
    const seen = () => {
      const hidden = document.visibilityState === "hidden";
      sitting.report(hidden ? "tab_hidden" : "tab_visible");
      if (hidden) sitting.hidden();
      else sitting.seen();
    };
    document.addEventListener("visibilitychange", seen, { signal });
    document.addEventListener("paste", report("paste"), { signal });
    document.addEventListener("copy", report("copy"), { signal });
    window.addEventListener("offline", report("offline"), { signal });
    window.addEventListener("online", report("online"), { signal });
    window.addEventListener("online", () => soon(() => signal.aborted || sitting.wake()), { signal });
    window.addEventListener("beforeunload", (event) => warn(event, sitting), { signal });
    return () => stop.abort();
  }, [sitting]);
}

/** A hall whose network is back does not ask all at once. */
function soon(work: () => void): void {
  window.setTimeout(work, Math.random() * SCATTER_MS);
}

function warn(event: BeforeUnloadEvent, sitting: ReturnType<typeof useSitting>): void {
  const { kind } = sitting.state.phase;
  const over = kind === "none" || kind === "closed" || kind === "void";
  if (!over && (countsOf(sitting.state).unsaved > 0 || kind === "handingIn")) event.preventDefault();
}

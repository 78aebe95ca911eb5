"use client";
/** What happens to the page while an exam is sat: looked away, pasted, network gone and back, about to be left. */
import { useEffect } from "react";
import { countsOf } from "../standing";
import { useSitting } from "./context";

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
    window.addEventListener("online", () => sitting.wake(), { signal });
    window.addEventListener("beforeunload", (event) => warn(event, sitting), { signal });
    return () => stop.abort();
  }, [sitting]);
}

function warn(event: BeforeUnloadEvent, sitting: ReturnType<typeof useSitting>): void {
  const { phase } = sitting.state;
  const going = phase.kind === "open" || phase.kind === "timeUp" || phase.kind === "handingIn";
  if (going && (countsOf(sitting.state).unsaved > 0 || phase.kind === "handingIn")) event.preventDefault();
}

/** How it stands with the answers, in one word and some counts: what the badge and the review say. Pure. */
import { createSelector } from "@reduxjs/toolkit";
import { type Entry, isAnswered, isPending, isRefused, isUndecided, isUnsaved } from "./entry";
import { questionsOf, type SittingState } from "./slice";

export interface Counts {
  answered: number;
  flagged: number;
  unsaved: number;
  /** Pictures on their way. */
  sending: number;
  pending: number;
  undecided: number;
  refused: number;
}

export type Standing =
  /** Nothing was answered yet. */
  | "fresh"
  | "saved"
  | "saving"
  | "retrying"
  | "offline"
  | "paused"
  | "loggedOut"
  | "undecided"
  | "refused"
  | "picture";

export const countsOf = createSelector(
  [(state: SittingState) => state.entries, (state: SittingState) => state.uploads],
  (entries, uploads): Counts => {
    const all = Object.values(entries);
    const pictures = Object.values(uploads);
    return {
      answered: all.filter(isAnswered).length,
      flagged: all.filter((entry) => entry.flagged).length,
      unsaved: all.filter(isUnsaved).length + pictures.length,
      sending: pictures.filter((one) => one === "sending").length,
      pending: all.filter(isPending).length,
      undecided: all.filter(isUndecided).length,
      refused: all.filter(isRefused).length,
    };
  },
);

export function standingOf(state: SittingState): Standing {
  const counts = countsOf(state);
  if (counts.unsaved === 0) return counts.answered > 0 || state.savedAt ? "saved" : "fresh";
  if (counts.pending === 0) {
    if (counts.undecided > 0) return "undecided";
    if (counts.refused > 0) return "refused";
    return counts.sending > 0 ? "saving" : "picture";
  }
  if (state.sessionLost) return "loggedOut";
  if (state.phase.kind === "paused") return "paused";
  if (state.fromJournal || state.send === "offline") return "offline";
  if (state.phase.kind === "timeUp" || state.phase.kind === "handingIn") {
    return state.phase.problem ? "retrying" : "saving";
  }
  return state.send === "retrying" || state.send === "halted" ? "retrying" : "saving";
}

/** After the submit: what does not count as it is shown here, and why. */
export function notTakenOf(
  entries: Record<string, Entry>,
  rejected: { question_id: string; code: string; detail: string }[],
  uploads: SittingState["uploads"] = {},
): { id: string; code: string; detail: string }[] {
  const pictures = Object.keys(uploads);
  const named = new Set([...pictures, ...rejected.map((one) => one.question_id)]);
  const others = Object.entries(entries).filter(([id, entry]) => isUnsaved(entry) && !named.has(id));
  return [
    ...pictures.map((id) => ({ id, code: "picture", detail: "" })),
    ...rejected.map(({ question_id: id, code, detail }) => ({ id, code, detail })),
    ...others.map(([id, entry]) => {
      if (isUndecided(entry)) return { id, code: "conflict", detail: "" };
      const { code, detail } = (isRefused(entry) && entry.refused) || { code: "unsent", detail: "" };
      return { id, code, detail };
    }),
  ];
}

export interface Listed {
  id: string;
  number: number;
}

/** Numbers of the questions that the review names. */
export const reviewOf = createSelector(
  [(state: SittingState) => state.entries, questionsOf, (state: SittingState) => state.uploads],
  (entries, questions, uploads) => {
    const where = (test: (entry: Entry) => boolean): Listed[] =>
      questions.flatMap(({ id }, place) => {
        const known = entries[id];
        return known && test(known) ? [{ id, number: place + 1 }] : [];
      });
    const under = (state: "sending" | "failed"): Listed[] =>
      questions.flatMap(({ id }, place) => (uploads[id] === state ? [{ id, number: place + 1 }] : []));
    return {
      unanswered: where((entry) => !isAnswered(entry)),
      flagged: where((entry) => entry.flagged),
      undecided: where(isUndecided),
      refused: where(isRefused),
      sending: under("sending"),
      unsent: under("failed"),
    };
  },
);

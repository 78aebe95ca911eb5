/** The sitting as the page shows it: the paper, an entry for each question, and how things stand. */
import { createSlice, type PayloadAction, type WithSlice } from "@reduxjs/toolkit";
import type { ApiProblem } from "@/api/problem";
import type { AttemptQuestion, Submitted } from "@/api/student.gen";
import type { Answer } from "@/questions/types";
import { rootReducer } from "@/store";
import type { Clock } from "./clock";
import * as entry from "./entry";
import type { Paper } from "./journal";
import { merge, recalled, type Stored } from "./reconcile";
import type { SendState } from "./sender";
import type { SavedReply } from "./transport";

export type HandedInBy = "person" | "time" | "elsewhere";

export type Phase =
  | { kind: "none" }
  | { kind: "open" }
  /** The inputs are closed, and the server has not yet confirmed that the time is up. */
  | { kind: "timeUp"; problem: ApiProblem | null }
  | { kind: "handingIn"; by: HandedInBy; problem: ApiProblem | null }
  | { kind: "closed"; by: HandedInBy; submitted: Submitted }
  | { kind: "paused" }
  | { kind: "void" }
  | { kind: "lost"; problem: ApiProblem };

export interface Opened {
  paper: Paper;
  entries: Record<string, entry.Entry>;
  clock: Clock | null;
  /** False where the browser refuses storage. */
  durable: boolean;
  /** By the server, of the latest answer that it holds. */
  savedAt: string | null;
  /** Gone on with from the journal, without the server. */
  fromJournal: boolean;
}

export interface SittingState {
  paper: Paper | null;
  entries: Record<string, entry.Entry>;
  clock: Clock | null;
  durable: boolean;
  fromJournal: boolean;
  phase: Phase;
  send: SendState;
  sessionLost: boolean;
  savedAt: string | null;
  /** By question, pictures that the server does not have (yet). */
  uploads: Record<string, "sending" | "failed">;
  /** Minutes, of the last threshold passed. */
  announced: number | null;
  place: number;
  layout: "one" | "all";
}

const initialState: SittingState = {
  paper: null,
  entries: {},
  clock: null,
  durable: true,
  fromJournal: false,
  phase: { kind: "none" },
  send: "idle",
  sessionLost: false,
  savedAt: null,
  uploads: {},
  announced: null,
  place: 0,
  layout: "one",
};

const slice = createSlice({
  name: "sitting",
  initialState,
  reducers: {
    opened: (_, { payload }: PayloadAction<Opened>): SittingState => ({
      ...initialState,
      ...payload,
      phase: { kind: "open" },
    }),
    left: () => initialState,
    answered(state, { payload }: PayloadAction<{ question: string; answer: Answer; at: string }>) {
      replace(state, payload.question, (known) => entry.changed(known, payload.answer, payload.at));
    },
    flagged(state, { payload }: PayloadAction<string>) {
      replace(state, payload, (known) => ({ ...known, flagged: !known.flagged }));
    },
    decided(state, { payload }: PayloadAction<{ question: string; which: "mine" | "other"; at: string }>) {
      replace(state, payload.question, (known) => entry.chosen(known, payload.which, payload.at));
    },
    heardFromTab(state, { payload }: PayloadAction<{ question: string; entry: entry.Entry }>) {
      replace(state, payload.question, (known) => merge(known, payload.entry));
    },
    reconciled(state, { payload }: PayloadAction<Record<string, entry.Entry>>) {
      state.entries = payload;
      state.fromJournal = false;
    },
    /** By question, what a journal has that came late. `opened`: what the sitting began with. */
    journalCame(state, { payload }: PayloadAction<Record<"opened" | "kept", Record<string, entry.Entry>>>) {
      state.durable = true;
      for (const [question, kept] of Object.entries(payload.kept)) {
        const opened = payload.opened[question] ?? entry.BLANK;
        replace(state, question, (known) => recalled(opened, known, kept));
      }
    },
    sent(state, { payload }: PayloadAction<entry.Outgoing[]>) {
      for (const one of payload) replace(state, one.question_id, (known) => entry.sent(known, one));
    },
    judged(state, { payload }: PayloadAction<{ reply: SavedReply; batch: entry.Outgoing[] }>) {
      judge(state, payload.reply, payload.batch);
    },
    refusedAlone(state, { payload }: PayloadAction<{ answer: entry.Outgoing; problem: ApiProblem }>) {
      const { answer, problem } = payload;
      replace(state, answer.question_id, (known) =>
        entry.refused(known, answer.revision, problem.code, problem.detail),
      );
    },
    handedIn(state, { payload }: PayloadAction<{ answers: entry.Outgoing[]; rejected: string[] }>) {
      for (const { question_id, revision } of payload.answers) {
        if (payload.rejected.includes(question_id)) continue;
        replace(state, question_id, (known) => entry.acknowledged(known, revision));
      }
    },
    clockHeard(state, { payload }: PayloadAction<Clock>) {
      state.clock = payload;
    },
    phaseChanged(state, { payload }: PayloadAction<Phase>) {
      state.phase = payload;
    },
    sendStateChanged(state, { payload }: PayloadAction<SendState>) {
      state.send = payload;
    },
    sessionChanged(state, { payload }: PayloadAction<{ lost: boolean }>) {
      state.sessionLost = payload.lost;
    },
    uploadsChanged(state, { payload }: PayloadAction<SittingState["uploads"]>) {
      state.uploads = payload;
    },
    storageRefused(state) {
      state.durable = false;
    },
    thresholdPassed(state, { payload }: PayloadAction<number>) {
      state.announced = payload;
    },
    placeChanged(state, { payload }: PayloadAction<number>) {
      const last = (state.paper?.questions.length ?? 1) - 1;
      state.place = Math.min(Math.max(payload, 0), last);
    },
    layoutChanged(state, { payload }: PayloadAction<"one" | "all">) {
      state.layout = payload;
    },
  },
});

function replace(state: SittingState, question: string, change: (known: entry.Entry) => entry.Entry): void {
  const known = state.entries[question];
  if (known) state.entries[question] = change(known);
}

function judge(state: SittingState, reply: SavedReply, batch: entry.Outgoing[]): void {
  const revisions = new Map(batch.map((one) => [one.question_id, one.revision]));
  for (const one of reply.saved) {
    const revision = revisions.get(one.question_id);
    if (revision === undefined) continue;
    if (one.outcome !== "superseded") {
      replace(state, one.question_id, (known) => entry.acknowledged(known, revision));
      state.savedAt = one.saved_at;
    } else if (one.current) contradict(state, one.question_id, one.current);
  }
  for (const one of reply.rejected) {
    const revision = revisions.get(one.question_id);
    if (one.current) contradict(state, one.question_id, one.current);
    else if (revision !== undefined) {
      replace(state, one.question_id, (known) => entry.refused(known, revision, one.code, one.detail));
    }
  }
}

function contradict(state: SittingState, question: string, { answer, revision, saved_at }: Stored): void {
  replace(state, question, (known) => entry.contradicted(known, { answer, revision, savedAt: saved_at }));
  // Of moments in one form, the order of texts is that of times.
  if (saved_at > (state.savedAt ?? "")) state.savedAt = saved_at;
}

declare module "@/store" {
  export interface LazyLoadedSlices extends WithSlice<typeof slice> {}
}

const injected = slice.injectInto(rootReducer);

export const act = slice.actions;
/** The state of the sitting; its initial one while there is none. */
export const sittingOf: (state: Parameters<typeof injected.selectSlice>[0]) => SittingState =
  injected.selectSlice;

export function questionsOf(state: SittingState): AttemptQuestion[] {
  return state.paper?.questions ?? NONE;
}

const NONE: AttemptQuestion[] = [];

/** What is to be sent, in the order of the paper. */
export function pendingOf(state: SittingState): entry.Outgoing[] {
  return outgoing(state, entry.isPending);
}

/** What goes along with the submit: also what was refused, for the server to name it, or to take it after all. */
export function unheldOf(state: SittingState): entry.Outgoing[] {
  return outgoing(state, ({ revision, acked }) => revision > acked);
}

function outgoing(state: SittingState, test: (known: entry.Entry) => boolean): entry.Outgoing[] {
  return questionsOf(state).flatMap(({ id }) => {
    const known = state.entries[id];
    return known && test(known) ? [{ question_id: id, answer: known.answer, revision: known.revision }] : [];
  });
}

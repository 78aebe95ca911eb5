/** How a sitting begins: handed over by the start, resumed, or from this device's journal. */
import { type ApiProblem, isProblem } from "@/api/problem";
import type { Attempt, Submitted } from "@/api/student.gen";
import { isLoggedOut, isPassing } from "./backoff";
import { heard, type Now, recalled } from "./clock";
import { BLANK, type Entry, isPending, type Outgoing } from "./entry";
import { takeHandedOver } from "./handover";
import { Journal, type Kept } from "./journal";
import { reconcileAll } from "./reconcile";
import { NARROWED } from "./sender";
import type { HandedInBy, Opened } from "./slice";
import type { Transport } from "./transport";

const STORAGE_PATIENCE_MS = 5_000;
/** Where nothing is left to do but to hand in what the journal has: within the grace. */
const LAST_PATIENCE_MS = 15_000;

export type Opening =
  | { kind: "opened"; opened: Opened; journal: Journal | null; storage: Storage }
  /** It was over, and this confirmed it. */
  | { kind: "closed"; by: HandedInBy; submitted: Submitted; kept: Closed | null }
  | { kind: "none" }
  | { kind: "paused" }
  | { kind: "void" }
  | { kind: "failed"; problem: ApiProblem };

/** What this device held of it, and what of that was sent along: to show what was not taken. */
export interface Closed {
  opened: Opened;
  answers: Outgoing[];
}

/** Null where the browser refuses it. */
type Storage = Promise<Journal | null>;

interface Place {
  user: string;
  exam: string;
  transport: Transport;
  now(): Now;
}

export async function open(place: Place): Promise<Opening> {
  if (place.exam === "") return { kind: "none" };
  const storage = Journal.open(place.user, place.now().wall).catch(() => null);
  const opening = await openWith(place, storage);
  if (opening.kind !== "opened") void storage.then((journal) => journal?.close());
  return opening;
}

/** Null also where the browser does not answer. */
function within(ms: number, storage: Storage): Storage {
  const silence = new Promise<null>((resolve) => setTimeout(resolve, ms, null));
  return Promise.race([storage, silence]);
}

async function openWith(place: Place, storage: Storage): Promise<Opening> {
  const asking = given(place);
  const journal = await within(STORAGE_PATIENCE_MS, storage);
  const { attempt, asked, at } = await asking;
  if (!isProblem(attempt)) {
    const kept = (await journal?.ofAttempt(attempt.student_exam_id).catch(() => null)) ?? null;
    const opened = resumed(attempt, kept, asked, at, journal);
    return { kind: "opened", opened, journal, storage };
  }
  const late = journal ?? (await within(LAST_PATIENCE_MS, storage));
  const kept = (await late?.ofExam(place.exam).catch(() => null)) ?? null;
  return without(attempt, kept, place, late, storage);
}

/** The attempt by the server's word, and between which moments that was spoken. */
async function given({ exam, transport, now }: Place) {
  const handed = takeHandedOver(exam);
  if (handed) return { ...handed, asked: handed.at };
  const asked = now();
  const attempt = await transport.resume(exam);
  return { attempt, asked, at: now() };
}

function resumed(attempt: Attempt, kept: Kept | null, asked: Now, at: Now, journal: Journal | null): Opened {
  const { saved_answers: saved, ...paper } = attempt;
  return {
    paper,
    entries: reconcileAll(attempt, kept?.entries ?? {}),
    clock: heard(null, attempt, asked, at),
    durable: journal !== null,
    savedAt: latest(Object.values(saved).map((one) => one.saved_at)),
    fromJournal: false,
  };
}

/** The server gave no attempt: why, and what this device has. */
async function without(
  problem: ApiProblem,
  kept: Kept | null,
  place: Place,
  journal: Journal | null,
  storage: Storage,
): Promise<Opening> {
  if (problem.code === "attempt_paused") return { kind: "paused" };
  const attempt = named(problem) ?? kept?.sitting.attempt;
  // Over, or handed in elsewhere: a submit tells, and takes along what was not saved yet, if it still may.
  if (attempt && (problem.code === "time_limit_exceeded" || problem.code === "not_found")) {
    const by = problem.code === "time_limit_exceeded" ? "time" : "elsewhere";
    return closed(attempt, kept?.sitting.attempt === attempt ? kept : null, by, place, journal);
  }
  if (problem.code === "not_found") return { kind: "none" };
  if (kept && journal && isPassing(problem) && !isLoggedOut(problem)) {
    return { kind: "opened", opened: remembered(kept, place.now()), journal, storage };
  }
  return { kind: "failed", problem };
}

async function closed(
  attempt: string,
  kept: Kept | null,
  by: HandedInBy,
  place: Place,
  journal: Journal | null,
): Promise<Opening> {
  let answers = unheld(kept, () => true);
  let submitted = await place.transport.submit(attempt, answers);
  if (isProblem(submitted) && NARROWED.has(submitted.status)) {
    answers = unheld(kept, isPending);
    submitted = await place.transport.submit(attempt, answers);
  }
  if (!isProblem(submitted)) {
    await journal?.wipe(attempt).catch(() => undefined);
    const shown = kept && { opened: remembered(kept, place.now()), answers };
    return { kind: "closed", by, submitted, kept: shown };
  }
  if (submitted.code === "attempt_void") return { kind: "void" };
  return submitted.code === "not_found" ? { kind: "none" } : { kind: "failed", problem: submitted };
}

function remembered({ sitting, entries }: Kept, at: Now): Opened {
  const all = sitting.paper.questions.map(({ id }) => [id, entries[id] ?? BLANK] as const);
  return {
    paper: sitting.paper,
    entries: Object.fromEntries(all),
    clock: sitting.clock && recalled(sitting.clock, at),
    durable: true,
    savedAt: null,
    fromJournal: true,
  };
}

/** Of moments in one form, the order of texts is that of times. */
function latest(moments: string[]): string | null {
  return moments.sort().at(-1) ?? null;
}

function unheld(kept: Kept | null, test: (entry: Entry) => boolean): Outgoing[] {
  return Object.entries(kept?.entries ?? {}).flatMap(([question, entry]: [string, Entry]) =>
    entry.revision > entry.acked && test(entry)
      ? [{ question_id: question, answer: entry.answer, revision: entry.revision }]
      : [],
  );
}

/** 410 names the attempt whose time is up. */
function named(problem: ApiProblem): string | null {
  const id = "student_exam_id" in problem ? problem.student_exam_id : null;
  return typeof id === "string" ? id : null;
}

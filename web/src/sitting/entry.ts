/**
 * The answer to one question as this page knows it, and the rules by which it changes. Pure: no clock, no network.
 *
 * Revisions order all answers ever given to a question, on whatever device: a change takes the highest that is
 * known + 1, and only the server's word for that very revision makes it "saved".
 */
import type { Answer } from "@/questions/types";

/** What has left for the server. The digest tells one's own answer when it comes back under that revision. */
export interface Sent {
  revision: number;
  digest: number;
}

/** The other side of a conflict. */
export interface Other {
  answer: Answer;
  revision: number;
  savedAt: string | null;
}

export interface Entry {
  answer: Answer;
  /** 0: never answered. */
  revision: number;
  /** The highest revision that the server is known to hold. */
  acked: number;
  /** Revisions that were sent and not judged: what the server holds may be one of them. */
  sent: Sent[];
  /** This device's clock, ISO. */
  changedAt: string | null;
  other: Other | null;
  /** What the server has against `revision`. */
  refused: { revision: number; code: string; detail: string } | null;
  flagged: boolean;
}

export interface Outgoing {
  question_id: string;
  answer: Answer;
  revision: number;
}

export const BLANK: Entry = {
  answer: null,
  revision: 0,
  acked: 0,
  sent: [],
  changedAt: null,
  other: null,
  refused: null,
  flagged: false,
};

/** Enough for an hour of failed sends; older ones only make a needless question to the person likelier. */
const SENT_KEPT = 100;

export function same(one: Answer, two: Answer): boolean {
  return JSON.stringify(one) === JSON.stringify(two);
}

export function isAnswered({ answer }: Entry): boolean {
  return answer !== null && answer.length > 0;
}

/** Short, and of no use against ill will: whose answers these are is not in question. */
export function digestOf(answer: Answer): number {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(answer)) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * The person answers: newer than everything that is known, on this device and on others, and by no more than that.
 * Who counts further while away would pass by what another device has saved meanwhile, unseen.
 */
export function changed(entry: Entry, answer: Answer, at: string): Entry {
  const known = Math.max(entry.acked, entry.other?.revision ?? 0, ...entry.sent.map((one) => one.revision));
  const revision = Math.max(entry.revision, known + 1);
  return { ...entry, answer: storable(answer), revision, changedAt: at, refused: null };
}

/** Another answer stands against this one, and the person has not gone on since: theirs to choose. */
export function isUndecided({ other, revision }: Entry): boolean {
  return other !== null && revision <= other.revision;
}

/** The server does not hold what is shown: what must not be lost. */
export function isUnsaved(entry: Entry): boolean {
  return entry.revision > entry.acked || isUndecided(entry);
}

export function isRefused({ refused, revision }: Entry): boolean {
  return refused?.revision === revision;
}

/** To be sent: higher than what the server holds, and not refused as it is. */
export function isPending(entry: Entry): boolean {
  return entry.revision > entry.acked && !isRefused(entry);
}

/** To be sent, and between it and what the server is known to hold is room for another device's answer. */
export function leavesAGap(entry: Entry): boolean {
  return isPending(entry) && entry.revision > entry.acked + 1;
}

export function sent(entry: Entry, { revision, answer }: Pick<Outgoing, "revision" | "answer">): Entry {
  return { ...entry, sent: bothSent(entry.sent, [{ revision, digest: digestOf(answer) }]) };
}

export function bothSent(one: Sent[], two: Sent[]): Sent[] {
  const added = two.filter(({ revision, digest }) => !wasSent(one, revision, digest));
  return added.length > 0 ? [...one, ...added].slice(-SENT_KEPT) : one;
}

export function wasSent(sent: Sent[], revision: number, digest: number): boolean {
  return sent.some((one) => one.revision === revision && one.digest === digest);
}

/** `stored` or `repeat` of this revision. */
export function acknowledged(entry: Entry, revision: number): Entry {
  const acked = Math.max(entry.acked, revision);
  return { ...entry, acked, sent: entry.sent.filter((one) => one.revision > acked) };
}

/** The server holds another answer under the same or a higher revision. */
export function contradicted(entry: Entry, other: Other): Entry {
  const known = acknowledged(entry, other.revision);
  if (same(entry.answer, other.answer)) {
    return { ...known, revision: Math.max(entry.revision, other.revision), other: null };
  }
  return { ...known, other };
}

/** It is not there, so its revision is free for the next change. */
export function refused(entry: Entry, revision: number, code: string, detail: string): Entry {
  const sent = entry.sent.filter((one) => one.revision !== revision);
  if (entry.revision !== revision) return { ...entry, sent };
  return { ...entry, sent, refused: { revision, code, detail } };
}

export function chosen(entry: Entry, which: "mine" | "other", at: string): Entry {
  const { other } = entry;
  if (other === null) return entry;
  const settled = { ...entry, other: null };
  if (which === "mine") {
    return isUndecided(entry) ? { ...changed(entry, entry.answer, at), other: null } : settled;
  }
  if (!isUndecided(entry)) return { ...changed(entry, other.answer, at), other: null };
  return { ...settled, answer: other.answer, revision: other.revision, refused: null, changedAt: at };
}

/** What the server would refuse in any text: NUL, and halves of characters. */
function storable(answer: Answer): Answer {
  return typeof answer === "string" ? answer.replace(/\0|\p{Surrogate}/gu, "") : answer;
}

/** What to make of two accounts of the same answer: the server's and the journal's, or another tab's. Pure. */
import type { Attempt } from "@/api/student.gen";
import {
  acknowledged,
  BLANK,
  bothSent,
  changed,
  digestOf,
  type Entry,
  isUndecided,
  isUnsaved,
  type Other,
  same,
  wasSent,
} from "./entry";

export interface Stored {
  answer: Other["answer"];
  revision: number;
  saved_at: string;
}

/**
 * The server's account and this device's. Never is the newer overwritten by the older: what is unsaved here and
 * higher is to be sent; what is unsaved here and not higher, or was given without knowing of what the server
 * holds, stands beside the server's for the person to choose.
 */
export function reconcile(stored: Stored | undefined, mine: Entry | undefined): Entry {
  if (!stored) return mine ? { ...mine, acked: 0 } : BLANK;
  const other = { answer: stored.answer, revision: stored.revision, savedAt: stored.saved_at };
  if (!mine) return adopted(BLANK, other);
  if (same(stored.answer, mine.answer)) {
    const known = acknowledged({ ...mine, acked: 0 }, stored.revision);
    return stored.revision > mine.revision ? { ...known, revision: stored.revision, other: null } : known;
  }
  const known = acknowledged({ ...mine, acked: 0 }, stored.revision);
  if (stored.revision < mine.revision) {
    const expected =
      stored.revision === mine.acked || wasSent(mine.sent, stored.revision, digestOf(stored.answer));
    return expected ? known : { ...known, other };
  }
  const newerElsewhere = stored.revision > mine.revision && !isUnsaved(mine);
  return newerElsewhere ? adopted(mine, other) : { ...known, other };
}

export function reconcileAll(attempt: Attempt, mine: Record<string, Entry>): Record<string, Entry> {
  const saved = attempt.saved_answers;
  return Object.fromEntries(attempt.questions.map(({ id }) => [id, reconcile(saved[id], mine[id])]));
}

/**
 * The journal's account has come late: the page was `opened` with the server's alone, and is at `mine` by now. What
 * was typed since stays, above all that the journal knows of; what was never saved stands beside it.
 */
export function recalled(opened: Entry, mine: Entry, kept: Entry): Entry {
  const flagged = mine.flagged || kept.flagged;
  if (mine.revision === opened.revision) return { ...reconcile(asStored(mine), kept), flagged };
  const revision = Math.max(mine.revision, kept.revision + 1);
  const known = { ...mine, flagged, revision, sent: bothSent(mine.sent, kept.sent) };
  if (!isUnsaved(kept) || same(kept.answer, mine.answer)) return known;
  return { ...known, other: { answer: kept.answer, revision: kept.revision, savedAt: kept.changedAt } };
}

function asStored({ answer, revision, changedAt }: Entry): Stored | undefined {
  return revision === 0 ? undefined : { answer, revision, saved_at: changedAt ?? "" };
}

/**
 * What another tab of this browser says: made by the same person, on the same clock, with the same knowledge but for
 * the moment that a message takes.
 */
export function merge(mine: Entry, theirs: Entry): Entry {
  if (theirs.revision > mine.revision) return joined(theirs, mine);
  if (theirs.revision < mine.revision) return joined(mine, theirs);
  if (same(mine.answer, theirs.answer)) {
    // Whatever one of the two has learnt since holds for both.
    const { flagged, refused } = theirs;
    const other = isUndecided(mine) ? (theirs.other ?? mine.other) : theirs.other;
    return { ...joined(mine, theirs), flagged, refused, other };
  }
  const [ours, others] = [hasLeft(mine), hasLeft(theirs)];
  if (ours && others) {
    return { ...joined(mine, theirs), other: { ...theirs, savedAt: theirs.changedAt } };
  }
  const [later, earlier] = isLater(theirs, mine) ? [theirs, mine] : [mine, theirs];
  const both = joined(later, earlier);
  // Of a revision that has left, nothing but what has left may be sent again.
  return ours || others ? changed(both, later.answer, later.changedAt ?? "") : both;
}

/** The newer one, and what the older one knew beside it. */
function joined(newer: Entry, older: Entry): Entry {
  const other = newer.other ?? (older.other && older.other.revision >= newer.revision ? older.other : null);
  const known = { ...newer, other, sent: bothSent(newer.sent, older.sent) };
  return acknowledged(known, older.acked);
}

function hasLeft({ revision, acked, sent }: Entry): boolean {
  return revision <= acked || sent.some((one) => one.revision === revision);
}

/** By the clock that both share; of the same moment, so that both tabs choose the same. */
function isLater(one: Entry, two: Entry): boolean {
  const [first, second] = [one, two].map(({ changedAt, answer }) =>
    [changedAt ?? "", JSON.stringify(answer)].join(),
  );
  return (first ?? "") > (second ?? "");
}

function adopted(entry: Entry, { answer, revision, savedAt }: Other): Entry {
  return {
    ...entry,
    answer,
    revision,
    acked: revision,
    sent: [],
    changedAt: savedAt,
    other: null,
    refused: null,
  };
}

/** What to make of two accounts of the same answer: the server's and the journal's, or another tab's. Pure. */
import type { Attempt } from "@/api/student.gen";
import { acknowledged, BLANK, type Entry, isUnsaved, type Other, same } from "./entry";

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
    return stored.revision >= mine.revision ? { ...known, revision: stored.revision, other: null } : known;
  }
  const known = acknowledged({ ...mine, acked: 0 }, stored.revision);
  if (stored.revision < mine.revision) {
    const expected = stored.revision === mine.acked || mine.sent.includes(stored.revision);
    return expected ? known : { ...known, other };
  }
  const newerElsewhere = stored.revision > mine.revision && !isUnsaved(mine);
  return newerElsewhere ? adopted(mine, other) : { ...known, other };
}

export function reconcileAll(attempt: Attempt, mine: Record<string, Entry>): Record<string, Entry> {
  const saved = attempt.saved_answers;
  return Object.fromEntries(attempt.questions.map(({ id }) => [id, reconcile(saved[id], mine[id])]));
}

/** What another tab of this browser says. Its revisions are made with the same knowledge as ours. */
export function merge(mine: Entry, theirs: Entry): Entry {
  const acked = Math.max(mine.acked, theirs.acked);
  if (theirs.revision > mine.revision) return { ...theirs, acked };
  if (theirs.revision < mine.revision) return acknowledged(mine, acked);
  if (!same(mine.answer, theirs.answer)) {
    return { ...mine, acked, other: { ...theirs, savedAt: theirs.changedAt } };
  }
  // Equal answers: whatever one of the two has learnt since holds for both.
  const flagged = theirs.flagged;
  return { ...acknowledged(mine, acked), flagged, other: theirs.other, refused: theirs.refused };
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

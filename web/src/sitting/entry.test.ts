import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  acknowledged,
  BLANK,
  changed,
  chosen,
  contradicted,
  digestOf,
  type Entry,
  isPending,
  isUndecided,
  isUnsaved,
  refused,
  same,
  sent,
} from "./entry";
import { merge, reconcile } from "./reconcile";

const AT = "2026-11-25T10:00:00.000Z";
const answers = fc.oneof(
  fc.constant(null),
  fc.constantFrom("a", "b", "c"),
  fc.array(fc.constantFrom("A", "B")),
);
const others = fc.record({ answer: answers, revision: fc.nat(8), savedAt: fc.constant(AT) });
const entries: fc.Arbitrary<Entry> = fc
  .record({
    answer: answers,
    revision: fc.nat(8),
    acked: fc.nat(8),
    sent: fc.array(fc.record({ revision: fc.nat(8), digest: fc.nat(2) })),
    changedAt: fc.constant(AT),
    other: fc.option(others),
    refused: fc.constant(null),
    flagged: fc.boolean(),
  })
  .map((entry) => ({ ...entry, acked: Math.min(entry.acked, entry.revision) }));
const stored = others.map(({ answer, revision, savedAt }) => ({ answer, revision, saved_at: savedAt }));

describe("a change", () => {
  it("is newer than all that is known elsewhere, by no more than that, and is to be sent", () => {
    fc.assert(
      fc.property(entries, answers, (entry, answer) => {
        const next = changed(entry, answer, AT);
        const sent = entry.sent.map((one) => one.revision);
        const known = Math.max(entry.acked, entry.other?.revision ?? 0, ...sent);
        expect(next.revision).toBe(Math.max(known + 1, entry.revision));
        expect(isPending(next)).toBe(true);
        expect(isUndecided(next)).toBe(false);
      }),
    );
  });

  it("holds nothing that the server refuses in any text", () => {
    expect(changed(BLANK, "a\0b\ud800c😀", AT).answer).toBe("abc😀");
  });
});

describe("an acknowledgement", () => {
  it("clears the revision it names, and no later one", () => {
    const once = changed(BLANK, "a", AT);
    const twice = changed(sent(once, once), "ab", AT);
    expect(isUnsaved(acknowledged(twice, once.revision))).toBe(true);
    expect(isUnsaved(acknowledged(twice, twice.revision))).toBe(false);
  });

  it("of an older revision takes nothing back", () => {
    const entry = acknowledged(changed(acknowledged(changed(BLANK, "a", AT), 1), "ab", AT), 2);
    expect(acknowledged(entry, 1).acked).toBe(2);
  });
});

describe("a contradiction", () => {
  const mine = changed(BLANK, "mine", AT);
  const other = { answer: "theirs", revision: 5, savedAt: AT };

  it("shows both, counts as unsaved, and is not sent again", () => {
    const entry = contradicted(mine, other);
    expect(entry).toMatchObject({ answer: "mine", other });
    expect([isUndecided(entry), isUnsaved(entry), isPending(entry)]).toEqual([true, true, false]);
  });

  it("is none where both say the same", () => {
    const entry = contradicted(mine, { ...other, answer: "mine" });
    expect([entry.other, isUnsaved(entry), entry.revision]).toEqual([null, false, 5]);
  });

  it("is settled by the choice of mine, as a new change", () => {
    const entry = chosen(contradicted(mine, other), "mine", AT);
    expect(entry).toMatchObject({ answer: "mine", revision: 6, other: null });
    expect(isPending(entry)).toBe(true);
  });

  it("is settled by the choice of the other, which is saved already", () => {
    const entry = chosen(contradicted(mine, other), "other", AT);
    expect(entry).toMatchObject({ answer: "theirs", revision: 5, other: null });
    expect(isUnsaved(entry)).toBe(false);
  });

  it("keeps the other text in sight when the person types on", () => {
    const entry = changed(contradicted(mine, other), "mine, longer", AT);
    expect(entry).toMatchObject({ revision: 6, other });
    expect(chosen(entry, "other", AT)).toMatchObject({ answer: "theirs", revision: 6, other: null });
  });
});

describe("a refusal", () => {
  it("stops this revision, and not the next", () => {
    const typed = changed(BLANK, "x", AT);
    const entry = refused(sent(typed, typed), 1, "invalid", "Not a number.");
    expect([isPending(entry), isUnsaved(entry)]).toEqual([false, true]);
    expect(isPending(changed(entry, "1", AT))).toBe(true);
    expect(changed(entry, "1", AT).revision).toBe(1);
  });
});

describe("reconcile", () => {
  it("never loses a text, and never takes a revision back", () => {
    fc.assert(
      fc.property(fc.option(stored, { nil: undefined }), entries, (server, mine) => {
        const entry = reconcile(server, mine);
        expect(entry.revision).toBeGreaterThanOrEqual(mine.revision);
        expect(entry.acked).toBe(server?.revision ?? 0);
        const kept =
          same(entry.answer, mine.answer) || (!isUnsaved(mine) && same(entry.answer, server?.answer ?? null));
        expect(kept).toBe(true);
      }),
    );
  });

  it("never overwrites the newer by the older", () => {
    fc.assert(
      fc.property(stored, entries, (server, mine) => {
        const entry = reconcile(server, mine);
        if (isPending(entry)) expect(entry.revision).toBeGreaterThan(server.revision);
        if (server.revision > mine.revision && !same(server.answer, mine.answer)) {
          expect(
            same(entry.answer, server.answer) ||
              (entry.other !== null && same(entry.other.answer, server.answer)),
          ).toBe(true);
        }
      }),
    );
  });

  const server = { answer: "server", revision: 3, saved_at: AT };

  it("takes the server's where nothing is unsaved here", () => {
    const entry = reconcile(server, acknowledged(changed(BLANK, "old", AT), 1));
    expect(entry).toMatchObject({ answer: "server", revision: 3, acked: 3, other: null });
  });

  it("sends what is unsaved here and higher", () => {
    const mine = { ...BLANK, answer: "mine", revision: 4, acked: 3 };
    expect(reconcile(server, mine)).toMatchObject({ answer: "mine", acked: 3, other: null });
  });

  it("knows its own answer whose acknowledgement was lost", () => {
    const mine = {
      ...BLANK,
      answer: "mine",
      revision: 5,
      acked: 1,
      sent: [{ revision: 3, digest: digestOf("server") }],
    };
    expect(reconcile(server, mine)).toMatchObject({ answer: "mine", other: null });
  });

  it("does not take another device's for its own because of the revision alone", () => {
    const mine = {
      ...BLANK,
      answer: "mine",
      revision: 5,
      acked: 1,
      sent: [{ revision: 3, digest: digestOf("min") }],
    };
    expect(reconcile(server, mine)).toMatchObject({ answer: "mine", other: { answer: "server" } });
  });

  it("shows what another device saved meanwhile, though this one's is higher", () => {
    const mine = { ...BLANK, answer: "mine", revision: 9, acked: 1 };
    expect(reconcile(server, mine)).toMatchObject({ answer: "mine", other: { answer: "server" } });
  });

  it("asks where one revision has two answers", () => {
    const entry = reconcile(server, { ...BLANK, answer: "mine", revision: 3, acked: 2 });
    expect(isUndecided(entry)).toBe(true);
  });
});

describe("another tab's word", () => {
  it("both tabs come to the same, unless both spoke at once", () => {
    fc.assert(
      fc.property(entries, entries, (one, two) => {
        const [here, there] = [merge(one, two), merge(two, one)];
        expect(here.revision).toBe(there.revision);
        if (one.revision !== two.revision) expect(here.answer).toEqual(there.answer);
        else if (here.other && !same(here.answer, there.answer)) {
          expect(isUndecided(here) && isUndecided(there)).toBe(true);
        } else expect(here.answer).toEqual(there.answer);
      }),
    );
  });

  const first = { ...BLANK, answer: "a", revision: 1, changedAt: "2026-11-25T10:00:00.000Z" };
  const later = { ...first, answer: "ab", changedAt: "2026-11-25T10:00:01.000Z" };

  it("of one revision that has not left, the later text counts in both", () => {
    expect(merge(first, later)).toMatchObject({ answer: "ab", revision: 1, other: null });
    expect(merge(later, first)).toMatchObject({ answer: "ab", revision: 1, other: null });
  });

  it("the later text counts as a new change, where the earlier has left", () => {
    const left = sent(first, first);
    expect(merge(left, later)).toMatchObject({ answer: "ab", revision: 2 });
    expect(merge(later, left)).toMatchObject({ answer: "ab", revision: 2 });
  });

  it("a lower revision still brings the other answer that it knows of", () => {
    const undecided = contradicted(first, { answer: "theirs", revision: 5, savedAt: AT });
    const higher = { ...first, answer: "abc", revision: 3 };
    const entry = merge(higher, undecided);
    expect([entry.answer, isUndecided(entry), isUnsaved(entry)]).toEqual(["abc", true, true]);
    expect(merge(undecided, higher)).toMatchObject({ answer: "abc", other: { answer: "theirs" } });
  });
});

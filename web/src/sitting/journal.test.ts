import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Attempt } from "@/api/student.gen";
import { acknowledged, BLANK, changed } from "./entry";
import { Journal } from "./journal";
import { AT } from "./testing";

const NOW = Date.parse(AT);
const paper = { student_exam_id: "attempt", exam: { id: "exam" }, questions: [] } as unknown as Attempt;
const sitting = { attempt: "attempt", exam: "exam", paper, clock: null, touchedAt: NOW };
const typed = changed(BLANK, "typed", AT);

let opened: Journal[] = [];

async function journal(user: string, now = NOW): Promise<Journal> {
  const one = await Journal.open(user, now);
  opened.push(one);
  return one;
}

beforeEach(async () => {
  await (await journal("ann")).putSitting(sitting);
});

afterEach(async () => {
  for (const one of opened) one.close();
  opened = [];
  await new Promise<void>((resolve) => {
    indexedDB.deleteDatabase("examhall-journal").onsuccess = () => resolve();
  });
});

describe("the journal", () => {
  it("gives back after a crash what was put in", async () => {
    await (await journal("ann")).putEntries("attempt", { q1: typed });
    const kept = await (await journal("ann")).ofExam("exam");
    expect(kept?.sitting.paper).toEqual(paper);
    expect(kept?.entries).toEqual({ q1: typed });
  });

  it("is never read by another person", async () => {
    await (await journal("ann")).putEntries("attempt", { q1: typed });
    const bob = await journal("bob");
    expect(await bob.ofExam("exam")).toBe(null);
    expect(await bob.ofAttempt("attempt")).toBe(null);
    await bob.wipe("attempt");
    expect((await (await journal("ann")).ofAttempt("attempt"))?.entries).toEqual({ q1: typed });
  });

  it("is not taken back by a tab that knows less", async () => {
    const newer = changed(typed, "typed on", "2026-11-25T10:00:01.000Z");
    const one = await journal("ann");
    await one.putEntries("attempt", { q1: newer });
    await (await journal("ann")).putEntries("attempt", { q1: acknowledged(typed, 1), q2: typed });
    expect((await one.ofAttempt("attempt"))?.entries).toEqual({ q1: newer, q2: typed });
  });

  it("holds nothing after the wipe", async () => {
    const one = await journal("ann");
    await one.putEntries("attempt", { q1: typed });
    await one.wipe("attempt");
    expect(await one.ofExam("exam")).toBe(null);
    await one.putSitting(sitting);
    expect((await one.ofAttempt("attempt"))?.entries).toEqual({});
  });

  it("keeps the clock beside the paper", async () => {
    const one = await journal("ann");
    const clock = { remainingMs: 1, heardAt: { now: 1, wall: 1 }, version: 1, deadline: AT, offsetMs: 0 };
    await one.putClock("attempt", clock, NOW);
    expect((await one.ofAttempt("attempt"))?.sitting.clock).toEqual(clock);
  });

  it("leaves nothing for the next person to find after two weeks", async () => {
    const later = await journal("bob", NOW + 15 * 24 * 3600 * 1000);
    expect(later).toBeDefined();
    expect(await (await journal("ann")).ofExam("exam")).toBe(null);
  });
});

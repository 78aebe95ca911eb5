/** A journal that comes when the person has long begun to type. */
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Attempt } from "@/api/student.gen";
import { BLANK, changed, type Entry } from "./entry";
import { Journal } from "./journal";
import { open } from "./open";
import type { Sitting } from "./sitting";
import { AT, problem, settled } from "./testing";
import { attempt, Room, START } from "./testing-room";

const LOST = changed(BLANK, "lost in the crash", AT);

let room: Room;
let come: (journal: Journal | null) => void;
let late: Promise<Journal | null>;

beforeEach(() => {
  room = new Room();
  late = new Promise((resolve) => {
    come = resolve;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await room.clear();
});

async function crashedWith(entries: Record<string, Entry>): Promise<Journal> {
  const journal = await Journal.open("ann", START);
  const { saved_answers: _, ...paper } = attempt();
  await journal.putSitting({ attempt: "attempt", exam: "exam", paper, clock: null, touchedAt: START });
  await journal.putEntries("attempt", entries);
  return journal;
}

function slowSitting(): Sitting {
  return room.sit({ durable: false }, null, late);
}

describe("a journal that comes late", () => {
  it("gives what was not saved, to be sent", async () => {
    const journal = await crashedWith({ q1: LOST });
    const sitting = slowSitting();
    come(journal);
    await expect.poll(() => sitting.state.entries.q1?.answer).toBe("lost in the crash");
    expect(sitting.state.durable).toBe(true);
    await room.time.pass(2000);
    expect(room.server.saves.flat()).toEqual([{ question_id: "q1", answer: LOST.answer, revision: 1 }]);
  });

  it("overwrites nothing that was typed since, and shows both", async () => {
    const journal = await crashedWith({ q1: LOST });
    const sitting = slowSitting();
    sitting.answer("q1", "typed since");
    await room.time.pass(2000);
    come(journal);
    await expect.poll(() => sitting.state.entries.q1?.other?.answer).toBe("lost in the crash");
    expect(sitting.state.entries.q1?.answer).toBe("typed since");
    const saved = { q1: { answer: "typed since", revision: 1, saved_at: AT } };
    room.server.resumed = () => ({ ...attempt(), saved_answers: saved }) as Attempt;
    await room.time.pass(2000);
    expect(room.server.saves.at(-1)).toEqual([{ question_id: "q1", answer: "typed since", revision: 2 }]);
    saved.q1.revision = 2;
    await sitting.server.resume();
    expect(sitting.state.entries.q1).toMatchObject({ answer: "typed since", other: { answer: LOST.answer } });
    sitting.decide("q1", "other");
    await room.time.pass(2000);
    expect(room.server.saves.at(-1)?.[0]).toMatchObject({ answer: LOST.answer, revision: 3 });
  });

  it("keeps what is typed from then on", async () => {
    const journal = await crashedWith({ q1: LOST });
    const sitting = slowSitting();
    sitting.answer("q2", "typed since");
    come(journal);
    await expect
      .poll(async () => (await journal.ofAttempt("attempt"))?.entries.q2?.answer)
      .toBe("typed since");
  });

  it("after the end is wiped", async () => {
    const journal = await crashedWith({ q1: LOST });
    const sitting = slowSitting();
    await sitting.over();
    come(journal);
    const other = await Journal.open("ann", START);
    await expect.poll(() => other.ofAttempt("attempt")).toBe(null);
    other.close();
  });

  it("is waited for where nothing is left but to hand in what it has", async () => {
    const journal = await crashedWith({ q1: LOST });
    vi.spyOn(Journal, "open").mockReturnValue(late as Promise<Journal>);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    room.server.resumed = () => problem(410, "time_limit_exceeded");
    const opening = open({ user: "ann", exam: "exam", transport: room.server, now: room.now });
    await vi.advanceTimersByTimeAsync(6000);
    vi.useRealTimers();
    come(journal);
    expect(await opening).toMatchObject({ kind: "closed", by: "time" });
    expect(room.server.submits[0]?.[0]?.answer).toBe("lost in the crash");
  });

  it("keeps nobody from beginning", async () => {
    vi.spyOn(Journal, "open").mockReturnValue(late as Promise<Journal>);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const opening = open({ user: "ann", exam: "exam", transport: room.server, now: room.now });
    await vi.advanceTimersByTimeAsync(6000);
    expect(await opening).toMatchObject({ kind: "opened", journal: null, opened: { durable: false } });
    await settled();
  });
});

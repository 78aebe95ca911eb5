import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { problemOf } from "@/api/problem";
import { remainingMs } from "./clock";
import { handOver } from "./handover";
import { Journal } from "./journal";
import { open } from "./open";
import { problem } from "./testing";
import { attempt, Room, START } from "./testing-room";

let room: Room;
let sit: Room["sit"];
let server: Room["server"];

beforeEach(() => {
  room = new Room();
  ({ sit, server } = room);
});

afterEach(() => room.clear());

describe("opening", () => {
  const place = () => ({ user: "ann", exam: "exam", transport: server, now: room.now });

  async function typedAndCrashed(): Promise<void> {
    const journal = await Journal.open("ann", START);
    const sitting = sit({}, journal);
    sitting.answer("q1", "typed");
    const other = await Journal.open("ann", START);
    await expect.poll(async () => (await other.ofExam("exam"))?.entries.q1?.answer).toBe("typed");
    other.close();
    sitting.leave();
  }

  it("after a crash has what was not saved, to be sent", async () => {
    await typedAndCrashed();
    const opening = await open(place());
    if (opening.kind !== "opened") throw new Error(opening.kind);
    expect(opening.opened.entries.q1).toMatchObject({ answer: "typed", revision: 1, acked: 0 });
    opening.journal?.close();
  });

  it("without a connection goes on from the journal, and says so", async () => {
    await typedAndCrashed();
    server.resumed = () => problem(0);
    const opening = await open(place());
    if (opening.kind !== "opened") throw new Error(opening.kind);
    expect([opening.opened.fromJournal, opening.opened.entries.q1?.answer]).toEqual([true, "typed"]);
    opening.journal?.close();
  });

  it("without a connection gives nothing of another person's", async () => {
    await typedAndCrashed();
    server.resumed = () => problem(0);
    expect((await open({ ...place(), user: "bob" })).kind).toBe("failed");
  });

  it("does not take a portal's 404 for the end", async () => {
    await typedAndCrashed();
    server.resumed = () => problemOf(404, "<html>");
    const opening = await open(place());
    if (opening.kind !== "opened") throw new Error(opening.kind);
    expect([opening.opened.fromJournal, server.submits]).toEqual([true, []]);
    opening.journal?.close();
  });

  it("after the time is up hands in what was not saved", async () => {
    await typedAndCrashed();
    server.resumed = () => problem(410, "time_limit_exceeded");
    expect(await open(place())).toMatchObject({ kind: "closed", by: "time" });
    expect(server.submits[0]?.[0]?.answer).toBe("typed");
  });

  it("after the end shows what was not taken, with its text", async () => {
    await typedAndCrashed();
    server.resumed = () => problem(410, "time_limit_exceeded");
    const opening = await open(place());
    if (opening.kind !== "closed") throw new Error(opening.kind);
    expect(opening.kept?.opened.entries.q1?.answer).toBe("typed");
    expect(opening.kept?.answers.map((one) => one.question_id)).toEqual(["q1"]);
  });

  it("hands in the attempt that the server names, not an older one of the journal", async () => {
    await typedAndCrashed();
    server.resumed = () => ({ ...problem(410, "time_limit_exceeded"), student_exam_id: "newer" });
    expect((await open(place())).kind).toBe("closed");
    expect(server.submits).toEqual([[]]);
  });

  it("goes on with what the start has given, whose time has run since", async () => {
    const given = vi.spyOn(performance, "now").mockReturnValue(7_000);
    handOver(attempt(600));
    given.mockRestore();
    server.resumed = () => problem(503);
    const opening = await open({ ...place(), now: () => ({ now: 67_000, wall: START + 60_000 }) });
    if (opening.kind !== "opened") throw new Error(opening.kind);
    const { clock } = opening.opened;
    expect(clock && remainingMs(clock, { now: 67_000, wall: START })).toBe(540_000);
    opening.journal?.close();
    // Once: a page that is opened later asks the server.
    expect((await open(place())).kind).toBe("failed");
  });

  it("where nothing is in progress tells so", async () => {
    server.resumed = () => problem(404, "not_found");
    expect((await open(place())).kind).toBe("none");
    expect(server.submits).toEqual([]);
  });
});

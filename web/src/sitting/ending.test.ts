import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Journal } from "./journal";
import { notTakenOf, standingOf } from "./standing";
import { AT, problem, reply, settled } from "./testing";
import { Room, START } from "./testing-room";

let room: Room;
let sit: Room["sit"];
let server: Room["server"];
let time: Room["time"];

beforeEach(() => {
  room = new Room();
  ({ sit, server, time } = room);
});

afterEach(() => room.clear());

describe("the time", () => {
  it("closes the inputs at zero, and hands in only when the server agrees", async () => {
    const sitting = sit();
    server.onSave = (answers) =>
      time.now < 600_000 ? reply(answers, 600 - time.now / 1000) : problem(400, "time_limit_exceeded");
    await time.pass(599_000);
    sitting.answer("q1", "in the last second");
    await time.pass(1500);
    expect(sitting.state.phase.kind).not.toBe("open");
    sitting.answer("q1", "too late");
    expect(sitting.state.entries.q1?.answer).toBe("in the last second");
    await time.pass(5000);
    expect(sitting.state.phase.kind).toBe("closed");
    expect(server.submits).toEqual([[{ question_id: "q1", answer: "in the last second", revision: 1 }]]);
  });

  it("that was extended unheard opens them again", async () => {
    const sitting = sit();
    server.onSave = (answers) => (time.now < 600_000 ? problem(503) : reply(answers, 300));
    await time.pass(600_500);
    expect(sitting.state.phase.kind).toBe("timeUp");
    await time.pass(5000);
    expect([sitting.state.phase.kind, server.submits.length]).toEqual(["open", 0]);
  });

  it("is announced at ten, five and one minutes", async () => {
    const sitting = sit({
      clock: { remainingMs: 601_000, heardAt: room.now(), version: 1, deadline: AT, offsetMs: 0 },
    });
    server.onSave = () => problem(503);
    const said: (number | null)[] = [];
    for (let minute = 0; minute < 10; minute += 1) {
      await time.pass(60_000);
      if (sitting.state.announced !== said.at(-1)) said.push(sitting.state.announced);
    }
    expect(said).toEqual([10, 5, 1]);
  });

  it("waits for the network with the answers, and then hands them in", async () => {
    const sitting = sit();
    server.onSave = () => problem(0);
    server.resumed = () => problem(0);
    sitting.answer("q1", "kept");
    await time.pass(640_000);
    expect([sitting.state.phase.kind, server.submits.length]).toEqual(["timeUp", 0]);
    server.onSave = () => problem(400, "time_limit_exceeded");
    sitting.wake();
    await settled();
    expect(server.submits[0]?.[0]?.answer).toBe("kept");
    expect(sitting.state.phase.kind).toBe("closed");
  });
});

describe("handing in", () => {
  it("happens once, with what is unsaved, and again with the same until it is confirmed", async () => {
    const sitting = sit();
    server.onSubmit = () => problem(503);
    sitting.answer("q1", "mine");
    sitting.handIn();
    sitting.handIn();
    await time.pass(5000);
    server.onSubmit = () => null;
    await time.pass(60_000);
    expect(server.submits.length).toBe(3);
    expect(new Set(server.submits.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(sitting.state.phase.kind).toBe("closed");
  });

  it("can be left while it fails, and the exam goes on", async () => {
    const sitting = sit();
    server.onSubmit = () => problem(0);
    sitting.handIn();
    await time.pass(1000);
    sitting.goBack();
    await settled();
    expect(sitting.state.phase.kind).toBe("open");
    sitting.answer("q1", "more");
    await time.pass(2000);
    expect(standingOf(sitting.state)).toBe("saved");
  });

  it("can be left while a try is under way, without another wait", async () => {
    const sitting = sit();
    server.onSubmit = () => problem(503);
    sitting.handIn();
    await time.pass(1000);
    let fail = () => {};
    server.submit = () =>
      new Promise((resolve) => {
        fail = () => resolve(problem(503));
      });
    sitting.wake();
    await settled();
    sitting.goBack();
    fail();
    await settled();
    expect(sitting.state.phase.kind).toBe("open");
  });

  it("that got no answer is left only by the server's word that the exam goes on", async () => {
    const sitting = sit();
    server.onSubmit = () => problem(0);
    sitting.handIn();
    await time.pass(1000);
    server.resumed = () => problem(0);
    sitting.goBack();
    await settled();
    expect(sitting.state.phase.kind).toBe("handingIn");
    server.resumed = () => problem(404, "not_found");
    server.onSubmit = () => null;
    sitting.goBack();
    await settled();
    expect(sitting.state.phase).toMatchObject({ kind: "closed" });
  });

  it("waits as long as the server asks, in the last moments too", async () => {
    sit();
    server.onSave = (answers) =>
      time.now < 600_000 ? reply(answers, 600 - time.now / 1000) : problem(400, "time_limit_exceeded");
    server.onSubmit = () => problem(503, "unavailable", 20);
    await time.pass(620_000);
    expect(server.submits.length).toBe(1);
  });

  it("is not what another tab's word leads to by itself", async () => {
    const [one, two] = [sit(), sit()];
    const told = vi.spyOn(server, "resume");
    await one.over();
    await expect.poll(() => told.mock.calls.length).toBeGreaterThan(0);
    await settled();
    expect([two.state.phase.kind, server.submits]).toEqual(["open", []]);
  });

  it("is not played again after the end", async () => {
    const sitting = sit();
    sitting.handIn();
    await time.pass(1000);
    sitting.halted(problem(409, "already_submitted"));
    await time.pass(1000);
    expect(server.submits.length).toBe(1);
  });

  it("wipes the journal when it is acknowledged, and not before", async () => {
    const journal = await Journal.open("ann", START);
    const sitting = sit({}, journal);
    server.onSubmit = () => problem(503);
    sitting.answer("q1", "mine");
    sitting.handIn();
    await settled();
    const other = await Journal.open("ann", START);
    await expect.poll(async () => (await other.ofExam("exam"))?.entries.q1?.answer).toBe("mine");
    server.onSubmit = () => null;
    sitting.wake();
    await expect.poll(() => other.ofExam("exam")).toBe(null);
    other.close();
  });

  it("is tried every few seconds while the grace lasts, then less often", async () => {
    sit();
    server.onSave = () => problem(400, "time_limit_exceeded");
    server.onSubmit = () => problem(503);
    await time.pass(630_000);
    expect(server.submits.length).toBeGreaterThanOrEqual(7);
    const tried = server.submits.length;
    await time.pass(30_000);
    expect(server.submits.length - tried).toBeLessThanOrEqual(2);
  });

  it("takes along what was refused, and names what was not taken and not decided", async () => {
    const sitting = sit();
    const current = { answer: "theirs", revision: 7, saved_at: AT };
    server.onSave = () => ({
      ...reply([]),
      rejected: [
        { question_id: "q1", code: "invalid", detail: "No." },
        { question_id: "q2", code: "conflict", detail: "", current },
      ],
    });
    sitting.answer("q1", "x");
    sitting.answer("q2", "mine");
    await time.pass(2000);
    server.onSubmit = () => (server.submits.at(-1)?.length ? problem(422, "invalid") : null);
    sitting.handIn();
    await settled();
    expect(server.submits.map((one) => one.map(({ question_id }) => question_id))).toEqual([["q1"], []]);
    expect(notTakenOf(sitting.state.entries, []).map(({ id, code }) => [id, code])).toEqual([
      ["q1", "invalid"],
      ["q2", "conflict"],
    ]);
  });

  it("elsewhere ends it here too, and says what was not taken", async () => {
    const sitting = sit();
    server.onSave = () => problem(409, "already_submitted");
    sitting.answer("q1", "late");
    await time.pass(2000);
    expect(sitting.state.phase).toMatchObject({ kind: "closed", by: "elsewhere" });
    expect(server.submits[0]?.length).toBe(1);
  });
});

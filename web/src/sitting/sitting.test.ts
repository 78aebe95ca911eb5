import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BLANK } from "./entry";
import { countsOf, standingOf } from "./standing";
import { AT, problem, reply, settled } from "./testing";
import { attempt, Room } from "./testing-room";

let room: Room;
let sit: Room["sit"];
let server: Room["server"];
let time: Room["time"];

beforeEach(() => {
  room = new Room();
  ({ sit, server, time } = room);
});

afterEach(() => room.clear());

describe("an answer", () => {
  it("is called saved only when the server has acknowledged what is shown", async () => {
    const sitting = sit();
    expect(standingOf(sitting.state)).toBe("fresh");
    sitting.answer("q1", "one");
    expect(standingOf(sitting.state)).toBe("saving");
    await time.pass(2000);
    expect(standingOf(sitting.state)).toBe("saved");
    server.onSave = () => problem(503);
    sitting.answer("q1", "one, longer");
    await time.pass(2000);
    expect(standingOf(sitting.state)).toBe("retrying");
  });

  it("that waits in the journal for a connection is not said to be on its way", () => {
    const typed = { ...BLANK, answer: "typed", revision: 1 };
    expect(standingOf(sit({ fromJournal: true, entries: { q1: typed, q2: BLANK } }).state)).toBe("offline");
  });

  it("that another device overtook stands beside the other one, and is not called saved", async () => {
    const sitting = sit();
    const current = { answer: "theirs", revision: 7, saved_at: AT };
    server.onSave = (answers) => ({
      ...reply([]),
      saved: answers.map(({ question_id }) => ({
        question_id,
        outcome: "superseded",
        revision: 7,
        saved_at: AT,
        current,
      })),
    });
    sitting.answer("q1", "mine");
    await time.pass(2000);
    expect(standingOf(sitting.state)).toBe("undecided");
    expect(sitting.state.entries.q1).toMatchObject({ answer: "mine", other: { answer: "theirs" } });
    server.onSave = reply;
    sitting.decide("q1", "mine");
    await time.pass(2000);
    expect(server.saves.at(-1)).toEqual([{ question_id: "q1", answer: "mine", revision: 8 }]);
    expect(standingOf(sitting.state)).toBe("saved");
  });

  it("that the question does not take is told, and sent again when it is changed", async () => {
    const sitting = sit();
    server.onSave = () => ({
      ...reply([]),
      rejected: [{ question_id: "q1", code: "invalid", detail: "Not a number." }],
    });
    sitting.answer("q1", "x");
    await time.pass(60_000);
    expect([standingOf(sitting.state), server.saves.length]).toEqual(["refused", 1]);
    server.onSave = reply;
    sitting.answer("q1", "1");
    await time.pass(2000);
    expect(standingOf(sitting.state)).toBe("saved");
  });
});

describe("the age of what is unsaved", () => {
  it("grows while the server is away, and is none when all is saved", async () => {
    const sitting = sit();
    server.onSave = () => problem(503);
    sitting.answer("q1", "a");
    await time.pass(30_000);
    sitting.answer("q2", "b");
    await time.pass(30_000);
    expect(Math.round(room.age)).toBe(60);
    server.onSave = reply;
    sitting.wake();
    await time.pass(1000);
    expect(room.age).toBe(0);
  });

  it("stays small for who types without a pause", async () => {
    const sitting = sit();
    for (let second = 0; second < 300; second += 1) {
      sitting.answer("q1", `${second}`);
      await time.pass(1000);
      expect(room.age).toBeLessThan(37);
    }
  });
});

describe("gone on with from the journal", () => {
  it("is what a sitting stays until it has seen what the server holds", async () => {
    const sitting = sit({ fromJournal: true });
    server.resumed = () => problem(503);
    sitting.answer("q1", "mine");
    await time.pass(2000);
    expect([server.saves.length, sitting.state.fromJournal]).toEqual([0, true]);
    server.resumed = () => attempt();
    sitting.wake();
    await settled();
    expect(sitting.state.fromJournal).toBe(false);
  });
});

describe("after a failed send", () => {
  it("what another device saved meanwhile is shown before anything is sent", async () => {
    const sitting = sit();
    server.onSave = () => problem(0);
    server.resumed = () => problem(0);
    for (const text of ["m", "mi", "mine"]) {
      sitting.answer("q1", text);
      await time.pass(20_000);
    }
    const saved_answers = { q1: { answer: "theirs", revision: 2, saved_at: AT } };
    server.resumed = () => ({ ...attempt(), saved_answers });
    server.onSave = reply;
    sitting.wake();
    await settled();
    expect(sitting.state.entries.q1).toMatchObject({ answer: "mine", other: { answer: "theirs" } });
    expect(standingOf(sitting.state)).toBe("undecided");
  });

  it("what the server has acknowledged and lost is sent again: it may have been restored from a backup", async () => {
    const sitting = sit();
    sitting.answer("q1", "acknowledged");
    await time.pass(2000);
    server.onSave = () => problem(0);
    sitting.answer("q2", "typed while it was away");
    await time.pass(2000);
    server.onSave = reply;
    sitting.wake();
    await settled();
    expect(server.saves.at(-1)?.map((one) => one.answer)).toEqual([
      "acknowledged",
      "typed while it was away",
    ]);
    expect(standingOf(sitting.state)).toBe("saved");
  });

  it("the page that was out of sight for long looks first, too", async () => {
    const sitting = sit();
    sitting.hidden();
    await time.pass(100_000);
    sitting.seen();
    const saved_answers = { q1: { answer: "theirs", revision: 1, saved_at: AT } };
    server.resumed = () => ({ ...attempt(), saved_answers });
    const saves = server.saves.length;
    sitting.answer("q1", "mine");
    await time.pass(2000);
    expect(sitting.state.entries.q1?.other?.answer).toBe("theirs");
    expect(server.saves.length).toBe(saves);
  });

  it("a resume that is older than a save takes nothing back", async () => {
    const sitting = sit();
    let arrive = () => {};
    const { resume } = server;
    server.resume = () => {
      const old = resume();
      return new Promise((resolve) => (arrive = () => resolve(old)));
    };
    const asked = sitting.server.resume();
    await settled();
    sitting.answer("q1", "mine");
    await time.pass(2000);
    const saved_answers = { q1: { answer: "mine", revision: 1, saved_at: AT } };
    server.resume = async () => ({ ...attempt(), saved_answers });
    arrive();
    await asked;
    expect(standingOf(sitting.state)).toBe("saved");
  });
});

describe("leaving", () => {
  it("sends what was just typed first", () => {
    const sitting = sit();
    sitting.answer("q1", "last words");
    sitting.leave();
    expect(server.saves).toEqual([[{ question_id: "q1", answer: "last words", revision: 1 }]]);
  });
});

describe("what holds up a sitting", () => {
  it("a lost session keeps all, and goes on after the login", async () => {
    const sitting = sit();
    server.onSave = () => problem(401, "unauthenticated");
    sitting.answer("q1", "mine");
    await time.pass(2000);
    expect([sitting.state.sessionLost, standingOf(sitting.state)]).toEqual([true, "loggedOut"]);
    server.onSave = reply;
    sitting.sessionIsBack();
    await settled();
    expect([sitting.state.sessionLost, standingOf(sitting.state)]).toEqual([false, "saved"]);
  });

  it("a pause is waited for", async () => {
    const sitting = sit();
    server.onSave = () => problem(409, "attempt_paused");
    server.resumed = () => problem(409, "attempt_paused");
    sitting.answer("q1", "mine");
    await time.pass(40_000);
    expect(sitting.state.phase.kind).toBe("paused");
    server.onSave = reply;
    server.resumed = () => attempt(900);
    await time.pass(30_000);
    expect([sitting.state.phase.kind, standingOf(sitting.state)]).toEqual(["open", "saved"]);
  });

  it("a void attempt takes nothing", async () => {
    const sitting = sit();
    server.onSave = () => problem(409, "attempt_void");
    sitting.answer("q1", "mine");
    await time.pass(2000);
    expect(sitting.state.phase.kind).toBe("void");
  });
});

describe("two tabs", () => {
  it("show the same, and one of them sends it", async () => {
    const [one, two] = [sit(), sit()];
    one.answer("q1", "from one");
    await expect.poll(() => two.state.entries.q1?.answer).toBe("from one");
    await time.pass(2000);
    await expect.poll(() => standingOf(two.state)).toBe("saved");
    expect(server.saves.filter((batch) => batch.length > 0).length).toBe(1);
    two.answer("q1", "from two");
    await expect.poll(() => one.state.entries.q1?.answer).toBe("from two");
    expect(countsOf(one.state).undecided).toBe(0);
  });

  it("of which one failed to send: the other does not pass by what another device has saved", async () => {
    const [one, two] = [sit(), sit()];
    server.onSave = () => problem(0);
    one.answer("q1", "m");
    await time.pass(2000);
    await expect.poll(() => two.state.entries.q1?.sent.length).toBe(1);
    const saved_answers = { q1: { answer: "theirs", revision: 1, saved_at: AT } };
    server.resumed = () => ({ ...attempt(), saved_answers });
    server.onSave = reply;
    two.answer("q1", "mine");
    await two.flush();
    expect(two.state.entries.q1).toMatchObject({ answer: "mine", other: { answer: "theirs" } });
  });
});

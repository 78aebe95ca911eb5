import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ApiProblem } from "@/api/problem";
import type { Attempt, Submitted } from "@/api/student.gen";
import { type AppStore, makeStore } from "@/store";
import { BLANK, type Outgoing } from "./entry";
import { Journal } from "./journal";
import { open } from "./open";
import { Sitting } from "./sitting";
import type { Opened } from "./slice";
import { countsOf, standingOf } from "./standing";
import { AT, FakeTime, problem, reply, settled } from "./testing";
import type { PageEvent, SavedReply, Transport } from "./transport";

const START = Date.parse(AT);

function attempt(seconds = 600): Attempt {
  const question = (id: string, order: number) =>
    ({
      id,
      order,
      type: "text",
      text: id,
      options: [],
      points: 1,
      media: [],
    }) as Attempt["questions"][number];
  return {
    student_exam_id: "attempt",
    attempt_no: 1,
    exam: {
      id: "exam",
      title: "Exam",
      instructions: "",
      duration_minutes: 10,
      question_count: 2,
      max_possible: 2,
    },
    questions: [question("q1", 1), question("q2", 2)],
    started_at: AT,
    deadline: AT,
    deadline_version: 1,
    deadline_reason: "start",
    grace_seconds: 30,
    server_time: AT,
    time_remaining_seconds: seconds,
    saved_answers: {},
  };
}

const RECEIPT = { status: "submitted", receipt: { answer_count: 1, answers_digest: "d" }, rejected: [] };

class Server implements Transport {
  resumed: () => Attempt | ApiProblem = () => attempt();
  onSave: (answers: Outgoing[]) => SavedReply | ApiProblem = (answers) => reply(answers);
  onSubmit: () => ApiProblem | null = () => null;
  saves: Outgoing[][] = [];
  submits: Outgoing[][] = [];

  resume = async () => this.resumed();
  save = async (_: string, answers: Outgoing[]) => {
    this.saves.push(answers);
    return this.onSave(answers);
  };
  submit = async (_: string, answers: Outgoing[]) => {
    this.submits.push(answers);
    return this.onSubmit() ?? (RECEIPT as unknown as Submitted);
  };
  report = async (_id: string, _events: PageEvent[]) => null;
}

let server: Server;
let time: FakeTime;
let store: AppStore;
let age = 0;
const made: Sitting[] = [];

beforeEach(() => {
  server = new Server();
  time = new FakeTime();
  store = makeStore();
});

afterEach(async () => {
  for (const one of made.splice(0)) one.leave();
  await new Promise<void>((resolve) => {
    indexedDB.deleteDatabase("examhall-journal").onsuccess = () => resolve();
  });
});

const now = () => ({ now: time.now, wall: START + time.now });

function sit(opened: Partial<Opened> = {}, journal: Journal | null = null, in_ = store): Sitting {
  const { saved_answers: _, ...paper } = attempt();
  const clock = { remainingMs: 600_000, heardAt: now(), version: 1, deadline: AT, offsetMs: 0 };
  const around = { timers: time, now, random: () => 0.5, online: () => true, practice: false };
  const unsavedFor = (seconds: number) => {
    age = seconds;
  };
  const sitting = new Sitting(
    { ...around, unsavedFor, store: in_, transport: server, journal, user: "ann" },
    {
      paper,
      entries: { q1: BLANK, q2: BLANK },
      clock,
      durable: true,
      savedAt: null,
      fromJournal: false,
      ...opened,
    },
  );
  made.push(sitting);
  return sitting;
}

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
    expect(Math.round(age)).toBe(60);
    server.onSave = reply;
    sitting.wake();
    await time.pass(1000);
    expect(age).toBe(0);
  });

  it("stays small for who types without a pause", async () => {
    const sitting = sit();
    for (let second = 0; second < 300; second += 1) {
      sitting.answer("q1", `${second}`);
      await time.pass(1000);
      expect(age).toBeLessThan(37);
    }
  });
});

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

  it("that was extended meanwhile opens them again", async () => {
    const sitting = sit();
    server.onSave = (answers) => reply(answers, 600 - time.now / 1000 + 300);
    await time.pass(700_000);
    expect([sitting.state.phase.kind, server.submits.length]).toEqual(["open", 0]);
  });

  it("is announced at ten, five and one minutes", async () => {
    const sitting = sit({
      clock: { remainingMs: 601_000, heardAt: now(), version: 1, deadline: AT, offsetMs: 0 },
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

  it("elsewhere ends it here too, and says what was not taken", async () => {
    const sitting = sit();
    server.onSave = () => problem(409, "already_submitted");
    sitting.answer("q1", "late");
    await time.pass(2000);
    expect(sitting.state.phase).toMatchObject({ kind: "closed", by: "elsewhere" });
    expect(server.submits[0]?.length).toBe(1);
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
    const [one, two] = [sit(), sit({}, null, makeStore())];
    one.answer("q1", "from one");
    await expect.poll(() => two.state.entries.q1?.answer).toBe("from one");
    await time.pass(2000);
    await expect.poll(() => standingOf(two.state)).toBe("saved");
    expect(server.saves.filter((batch) => batch.length > 0).length).toBe(1);
    two.answer("q1", "from two");
    await expect.poll(() => one.state.entries.q1?.answer).toBe("from two");
    expect(countsOf(one.state).undecided).toBe(0);
  });
});

describe("opening", () => {
  const place = () => ({ user: "ann", exam: "exam", transport: server, now });

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

  it("after the time is up hands in what was not saved", async () => {
    await typedAndCrashed();
    server.resumed = () => problem(410, "time_limit_exceeded");
    expect(await open(place())).toMatchObject({ kind: "closed", by: "time" });
    expect(server.submits[0]?.[0]?.answer).toBe("typed");
  });

  it("where nothing is in progress tells so", async () => {
    server.resumed = () => problem(404, "not_found");
    expect((await open(place())).kind).toBe("none");
    expect(server.submits).toEqual([]);
  });
});

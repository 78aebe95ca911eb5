/** Pictures that are answers: on their way, late, lost. */
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startUpload } from "@/questions/upload";
import { countsOf, notTakenOf, reviewOf, standingOf } from "./standing";
import { problem, settled } from "./testing";
import { Room } from "./testing-room";

vi.mock("@/session/token", () => ({
  freshSession: async () => ({ token: "t" }),
  onSession: () => () => undefined,
  session: () => null,
}));

class Request {
  static last: Request;
  upload = {};
  status = 0;
  timeout = 0;
  response: unknown = null;
  onload = () => undefined;
  onerror = () => undefined;
  ontimeout = () => undefined;
  constructor() {
    Request.last = this;
  }
  open() {}
  setRequestHeader() {}
  send() {}
  abort() {}
  getResponseHeader = () => null;

  async arrive(file_id: string): Promise<void> {
    this.status = 201;
    this.response = { file_id };
    this.onload();
    await settled();
  }
}

let room: Room;
beforeEach(() => {
  room = new Room();
  vi.stubGlobal("XMLHttpRequest", Request);
});
afterEach(() => room.clear());

async function sending() {
  const sitting = room.sit();
  const file = new File(["x".repeat(160_000)], "photo.png", { type: "image/png" });
  startUpload({ attemptId: sitting.attempt, questionId: "q1" }, file, (id) => sitting.answer("q1", id));
  await settled();
  return sitting;
}

describe("a picture on its way", () => {
  it("counts as unsaved, and is named before handing in", async () => {
    const sitting = await sending();
    expect([standingOf(sitting.state), countsOf(sitting.state).unsaved]).toEqual(["saving", 1]);
    expect(reviewOf(sitting.state).sending).toEqual([{ id: "q1", number: 1 }]);
    await Request.last.arrive("f1");
    await room.time.pass(2000);
    expect([standingOf(sitting.state), countsOf(sitting.state).unsaved]).toEqual(["saved", 0]);
  });

  it("that is lost is told, after a time that goes by its size", async () => {
    const sitting = await sending();
    expect(Request.last.timeout).toBe(40_000);
    Request.last.ontimeout();
    await settled();
    expect([standingOf(sitting.state), countsOf(sitting.state).unsaved]).toEqual(["picture", 1]);
    expect(reviewOf(sitting.state).unsent).toEqual([{ id: "q1", number: 1 }]);
  });

  it("when the time is up is waited for, and handed in", async () => {
    await sending();
    room.server.onSave = () => problem(400, "time_limit_exceeded");
    await room.time.pass(610_000);
    expect(room.server.submits).toEqual([]);
    await Request.last.arrive("f1");
    await room.time.pass(1000);
    expect(room.server.submits).toEqual([[{ question_id: "q1", answer: "f1", revision: 1 }]]);
  });

  it("when the time is up is waited for within the grace, and then named as not taken", async () => {
    const sitting = await sending();
    room.server.onSave = () => problem(400, "time_limit_exceeded");
    await room.time.pass(625_000);
    expect(room.server.submits).toEqual([[]]);
    const { entries, uploads } = sitting.state;
    expect(notTakenOf(entries, [], uploads)).toEqual([{ id: "q1", code: "picture", detail: "" }]);
  });
});

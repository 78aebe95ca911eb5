import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { problemOf } from "@/api/problem";
import { problem, reply, settled } from "./testing";
import { type Answer, Page } from "./testing-page";

let page: Page;
beforeEach(() => {
  page = new Page();
});

describe("sending", () => {
  it("waits for two quiet seconds, then sends all in one batch", async () => {
    page.type("a");
    await page.time.pass(1500);
    page.type("b");
    await page.time.pass(1999);
    expect(page.batches).toEqual([]);
    await page.time.pass(1);
    expect(page.batches.map(({ batch }) => batch.length)).toEqual([2]);
    expect(page.state).toBe("idle");
  });

  it("comes at the latest after 30 s ± 20 %, however one types", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (chance) => {
        const busy = new Page(() => chance);
        for (let turn = 0; turn < 40; turn += 1) {
          busy.type();
          await busy.time.pass(1000);
        }
        expect(busy.times[0]).toBeGreaterThanOrEqual(24_000);
        expect(busy.times[0]).toBeLessThanOrEqual(36_000);
        expect(busy.batches.length).toBe(1);
      }),
      { numRuns: 20 },
    );
  });

  it("has one batch in flight; what is typed meanwhile waits for its own pause", async () => {
    let arrive: (answer: Answer) => void = () => undefined;
    page.answers = () => new Promise((resolve) => (arrive = resolve));
    page.type();
    await page.time.pass(2000);
    page.type();
    await page.time.pass(5000);
    expect(page.batches.length).toBe(1);
    page.answers = reply;
    arrive(reply(page.batches[0]?.batch ?? []));
    await settled();
    expect(page.batches.map(({ batch }) => batch[0]?.revision)).toEqual([1, 2]);
    expect(page.state).toBe("idle");
  });

  it("takes at most 200 answers at a time", async () => {
    for (let number = 0; number < 450; number += 1) page.type(`q${number}`);
    await page.time.pass(2000);
    expect(page.batches.map(({ batch }) => batch.length)).toEqual([200, 200, 50]);
  });

  it("leaves to another tab what that one typed, but not for ever", async () => {
    page.unsaved.set("q", 1);
    page.sender.adopted();
    await page.time.pass(20_000);
    expect(page.batches).toEqual([]);
    await page.time.pass(20_000);
    expect(page.batches.length).toBe(1);
  });
});

describe("a failure", () => {
  it("is followed by tries after 5, 10, 20, 40, 50, 50 s", async () => {
    page.answers = () => problem(503);
    page.type();
    await page.time.pass(2000 + 5000 + 10_000 + 20_000 + 40_000 + 50_000 + 50_000);
    const waits = page.times.slice(1).map((at, before) => at - (page.times[before] ?? 0));
    expect(waits).toEqual([5000, 10_000, 20_000, 40_000, 50_000, 50_000]);
    expect(page.state).toBe("retrying");
  });

  it("spreads the tries, and never waits for more than a minute", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), async (chance) => {
        const away = new Page(() => chance);
        away.answers = () => problem(0);
        away.type();
        await away.time.pass(400_000);
        const waits = away.times.slice(1).map((at, before) => at - (away.times[before] ?? 0));
        expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
        expect(waits[0]).toBeGreaterThanOrEqual(4000);
      }),
      { numRuns: 20 },
    );
  });

  it("waits as long as the server asks", async () => {
    page.answers = () => problem(429, "rate_limited", 30);
    page.type();
    await page.time.pass(2000 + 29_999);
    expect(page.batches.length).toBe(1);
    await page.time.pass(5000);
    expect(page.batches.length).toBe(2);
  });

  it("is not hurried by typing on", async () => {
    page.answers = () => problem(503);
    page.type();
    await page.time.pass(2000);
    page.type();
    await page.time.pass(4000);
    expect(page.batches.length).toBe(1);
  });

  it("is tried again at once when the network is back, with everything", async () => {
    page.answers = () => problem(0);
    page.network = false;
    page.type("a");
    await page.time.pass(2000);
    expect(page.state).toBe("offline");
    page.type("b");
    page.answers = reply;
    page.sender.wake();
    await settled();
    expect(page.batches.at(-1)?.batch.length).toBe(2);
    expect([page.state, page.unsaved.size]).toEqual(["idle", 0]);
  });

  it.each([400, 403, 404, 413])("is a %d that is not the server's own", async (status) => {
    page.answers = () => problemOf(status, "<html>");
    page.type();
    await page.time.pass(2000);
    expect([page.state, page.faults, page.refusals]).toEqual(["retrying", [], []]);
  });

  it("is what an exception in the transport is, too", async () => {
    page.answers = () => {
      throw new TypeError("broken");
    };
    page.type();
    await page.time.pass(2000);
    expect(page.state).toBe("retrying");
    page.answers = reply;
    await page.time.pass(5000);
    expect([page.state, page.unsaved.size]).toEqual(["idle", 0]);
  });

  it("is told from being offline, where the device has a network", async () => {
    page.answers = () => problem(0);
    page.type();
    await page.time.pass(2000);
    expect(page.state).toBe("retrying");
  });
});

describe("a request that is refused as a whole", () => {
  it("is narrowed down to the answer that it is about", async () => {
    page.answers = (batch) =>
      batch.some(({ question_id }) => question_id === "q5") ? problem(422, "invalid") : reply(batch);
    for (let number = 0; number < 16; number += 1) page.type(`q${number}`);
    await page.time.pass(2000);
    expect(page.refusals).toEqual(["q5"]);
    expect(page.unsaved.size).toBe(0);
  });
});

describe("an answer that something on the way refuses", () => {
  it("does not hold up the others, and is tried again", async () => {
    page.answers = (batch) =>
      batch.some(({ question_id }) => question_id === "q1") ? problemOf(413, "<html>") : reply(batch);
    for (let number = 0; number < 4; number += 1) page.type(`q${number}`);
    await page.time.pass(2000);
    expect([[...page.unsaved.keys()], page.state, page.refusals]).toEqual([["q1"], "retrying", []]);
    page.answers = reply;
    await page.time.pass(5000);
    expect(page.unsaved.size).toBe(0);
  });
});

describe("a fault of the whole attempt", () => {
  it.each([
    [400, "time_limit_exceeded"],
    [409, "attempt_paused"],
    [401, "unauthenticated"],
    [404, "not_found"],
  ])("%d %s halts", async (status, code) => {
    page.answers = () => problem(status, code);
    page.type();
    await page.time.pass(2000);
    page.type();
    await page.time.pass(100_000);
    expect([page.batches.length, page.faults, page.state]).toEqual([1, [code], "halted"]);
  });

  it("is over when it goes on", async () => {
    page.answers = () => problem(401, "unauthenticated");
    page.type();
    await page.time.pass(2000);
    page.answers = reply;
    page.sender.restart();
    await settled();
    expect([page.unsaved.size, page.state]).toEqual([0, "idle"]);
  });
});

describe("whatever happens", () => {
  it("what was typed is sent in the end, and never two batches at once", async () => {
    const events = fc.array(
      fc.oneof(fc.constant("type"), fc.constant("fail"), fc.constant("wake"), fc.nat(20_000)),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(events, async (steps) => {
        const any = new Page();
        let failing = false;
        let flying = 0;
        any.answers = async (batch) => {
          flying += 1;
          expect(flying).toBe(1);
          await settled();
          flying -= 1;
          return failing ? problem(503) : reply(batch);
        };
        for (const step of steps) {
          if (step === "type") any.type();
          else if (step === "fail") failing = !failing;
          else if (step === "wake") any.sender.wake();
          else await any.time.pass(Number(step));
        }
        failing = false;
        await any.time.pass(120_000);
        expect([any.unsaved.size, any.batches.length > 0]).toEqual([0, steps.includes("type")]);
      }),
      { numRuns: 60 },
    );
  });
});

import { describe, expect, it } from "vitest";
import { Reporter } from "./reporter";
import { AT, FakeTime, problem, settled } from "./testing";
import type { PageEvent, Transport } from "./transport";

function reporting(answers: (ReturnType<typeof problem> | null)[] = []) {
  const time = new FakeTime();
  const sent: PageEvent[][] = [];
  const report = async (_: string, events: PageEvent[]) => {
    sent.push(events);
    return answers.shift() ?? null;
  };
  const reporter = new Reporter({ report } as unknown as Transport, "attempt", time, () => 0.5);
  return { time, sent, reporter };
}

describe("what the page reports of itself", () => {
  it("goes in one batch every ten seconds", async () => {
    const { time, sent, reporter } = reporting();
    reporter.add("paste", AT);
    reporter.add("copy", AT);
    await time.pass(10_000);
    await time.pass(60_000);
    expect(sent.map((events) => events.map(({ kind }) => kind))).toEqual([["paste", "copy"]]);
  });

  it("is sent again where the server was away, and not where it refused", async () => {
    const { time, sent, reporter } = reporting([problem(503), problem(422, "invalid")]);
    reporter.add("offline", AT);
    await time.pass(60_000);
    expect(sent.length).toBe(2);
  });

  it("is sent once more at the end, and then no longer", async () => {
    const { time, sent, reporter } = reporting([problem(0)]);
    reporter.add("tab_hidden", AT);
    reporter.close();
    reporter.add("copy", AT);
    await settled();
    await time.pass(60_000);
    expect(sent.length).toBe(1);
  });
});

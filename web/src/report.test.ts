import { beforeEach, describe, expect, it, vi } from "vitest";

interface Report {
  oldest_unsaved_seconds?: number;
  errors?: { kind: string; message: string; stack?: string; page: string }[];
}

const sent: Report[] = [];
let status = 202;

async function pageWithReports(loggedIn = true) {
  vi.resetModules();
  const { signedIn } = await import("@/session/token");
  const user = { id: "u", email: "e", name: "n", role: "student" as const, groups: [] };
  if (loggedIn) signedIn({ access_token: "t", expires_in: 1800, user });
  return import("./report");
}

beforeEach(() => {
  vi.useFakeTimers();
  sent.length = 0;
  status = 202;
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)));
    return new Response("{}", { status, headers: { "content-type": "application/json" } });
  });
});

describe("faults", () => {
  it("go together, each once", async () => {
    const { reportFault } = await pageWithReports();
    reportFault("script", "one");
    reportFault("script", "one");
    reportFault("promise", "two");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent.map((one) => one.errors?.map(({ message }) => message))).toEqual([["one", "two"]]);
  });

  it("end after some", async () => {
    const { reportFault } = await pageWithReports();
    for (let n = 0; n < 100; n += 1) reportFault("script", `number ${n}`);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent[0]?.errors).toHaveLength(10);
  });

  it("hold no answer, no token and no id", async () => {
    const { reportFault } = await pageWithReports();
    const error = new SyntaxError(`Unexpected token in "my answer", eyJhbGciOi.abc-d at /sit/?exam=123`);
    error.stack = `${error.message}\n    at f (https://exam.example/_next/a.js?x=1:10:5)`;
    reportFault("script", error);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(JSON.stringify(sent)).not.toMatch(/my answer|eyJ|123|x=1/);
    expect(sent[0]?.errors?.[0]?.stack).toContain("a.js:10:5");
  });

  it("come later when the server is away, or nobody is logged in", async () => {
    const { reportFault } = await pageWithReports();
    status = 503;
    reportFault("script", "one");
    await vi.advanceTimersByTimeAsync(5_000);
    status = 202;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent.map((one) => one.errors?.length)).toEqual([1, 1]);
    const other = await pageWithReports(false);
    other.reportFault("script", "two");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(2);
  });
});

describe("unsaved answers", () => {
  it("are told once a minute while they are old, and once when all is saved", async () => {
    const { reportUnsaved } = await pageWithReports();
    for (let seconds = 1; seconds <= 150; seconds += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      reportUnsaved(seconds);
    }
    reportUnsaved(0);
    reportUnsaved(0);
    reportUnsaved(3);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.map((one) => one.oldest_unsaved_seconds)).toEqual([60, 120, 0]);
  });
});

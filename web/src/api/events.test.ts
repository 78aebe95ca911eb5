import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { signedIn, signedOut } from "@/session/token";
import { serverEvents } from "./events";

const USER = { id: "u", email: "a@example.com", name: "A", role: "admin" as const, groups: [] };
const asked: (string | null)[] = [];

beforeEach(() => {
  asked.length = 0;
  signedIn({ access_token: "first", expires_in: 1800, user: USER });
});
afterEach(() => signedOut());

/** Streams come in pieces that end anywhere. */
function stream(...pieces: string[]): Response {
  const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
  const body = new ReadableStream({
    start(controller) {
      for (const piece of bytes) controller.enqueue(piece);
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function answering(...answers: (() => Response)[]) {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_url, init) => {
    asked.push(new Headers(init?.headers).get("authorization"));
    const next = answers.shift();
    if (!next) throw new TypeError("no more answers");
    return next();
  });
}

async function all(): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const event of serverEvents("/events", new AbortController().signal)) found.push(event);
  return found;
}

it("gives each event, with the token in a header", async () => {
  answering(() => stream("event: job\nda", 'ta: {"a":1}\n', "\n: still here\n\ndata: x\n\n"));
  expect(await all()).toEqual([
    { event: "job", data: '{"a":1}' },
    { event: "message", data: "x" },
  ]);
  expect(asked).toEqual(["Bearer first"]);
});

it("asks again with a new token where the first has ended", async () => {
  answering(
    () => new Response(null, { status: 401 }),
    () => Response.json({ access_token: "second", expires_in: 1800, user: USER }),
    () => stream("data: x\n\n"),
  );
  expect(await all()).toEqual([{ event: "message", data: "x" }]);
  expect(asked).toEqual(["Bearer first", null, "Bearer second"]);
});

it("says why there is no stream", async () => {
  answering(() => Response.json({ status: 404, code: "not_found", detail: "No." }, { status: 404 }));
  await expect(all()).rejects.toMatchObject({ status: 404, code: "not_found" });
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import { send } from "@/api/base";
import { freshSession, session, signedOut, wasLost } from "./token";

const ANN = { id: "ann", email: "ann@example.org", name: "Ann", role: "student", groups: [] };
const token = (user: object, life = 1800) =>
  Response.json({ access_token: `of ${JSON.stringify(user)}`, expires_in: life, user });

beforeEach(() => signedOut());

function answering(...answers: (() => Response | Promise<Response>)[]) {
  const given = vi.fn(
    async () => (answers.length > 1 ? answers.shift() : answers[0])?.() ?? Response.error(),
  );
  vi.stubGlobal("fetch", given);
  return given;
}

describe("the refresh", () => {
  it("that answers with something else than a token is a problem", async () => {
    answering(() => Response.json({ welcome: "to the hotel" }));
    expect(await freshSession()).toMatchObject({ status: 502, code: "unreadable" });
    expect(session()).toBe(null);
  });
});

describe("a page that knows whose it is", () => {
  it("does not become another person's by a refresh", async () => {
    answering(
      () => token(ANN),
      () => token({ ...ANN, id: "bob" }),
    );
    await freshSession();
    expect(await freshSession(session()?.token)).toMatchObject({ status: 401, code: "unauthenticated" });
    expect([session(), wasLost()]).toEqual([null, true]);
  });
});

describe("a request", () => {
  it("whose answer breaks off is a problem, not an exception", async () => {
    const broken = () => new Response(new ReadableStream({ start: (stream) => stream.error(new Error()) }));
    answering(() => token(ANN), broken);
    expect(await send({ url: "/api/v1/x" })).toMatchObject({ error: { status: 0 } });
  });

  it("does not wait for a refresh that hangs longer than its caller does", async () => {
    const stop = new AbortController();
    const hangs = new Promise<Response>(() => undefined);
    const given = vi.fn((_: string, { signal }: RequestInit) =>
      signal === stop.signal ? Promise.reject(new Error("aborted")) : hangs,
    );
    vi.stubGlobal("fetch", given);
    const reply = send({ url: "/api/v1/x" }, stop.signal);
    stop.abort();
    expect(await reply).toMatchObject({ error: { status: 0 } });
  });
});

import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { myExams } from "@/api/student";
import { makeStore } from "@/store";
import { signedIn, signedOut, type User, wasLost } from "./token";
import { useSession } from "./useSession";

function answerFor(id: string) {
  const user: User = { id, email: `${id}@example.com`, name: id, role: "student", groups: [] };
  return { access_token: `token of ${id}`, expires_in: 1800, user };
}

beforeEach(() => {
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 401 }));
});

afterEach(() => {
  cleanup();
  signedOut();
  vi.unstubAllGlobals();
});

it("asks once, and knows then that nobody is there", async () => {
  const { result } = renderHook(useSession);
  expect(result.current.state).toBe("unknown");
  await waitFor(() => expect(result.current.state).toBe("out"));
});

it("is out, not unknown, when a session ends that was there before the page", () => {
  signedIn(answerFor("ada"));
  const { result } = renderHook(useSession);
  expect(result.current.state).toBe("in");
  act(signedOut);
  expect(result.current.state).toBe("out");
  expect(wasLost()).toBe(false);
});

it("is the same from one rendering to the next, as effects go by it", () => {
  signedIn(answerFor("ada"));
  const { result, rerender } = renderHook(useSession);
  const before = result.current;
  rerender();
  expect(result.current).toBe(before);
});

it("leaves nothing of one person to the next on the same page", async () => {
  const store = makeStore();
  signedIn(answerFor("ada"));
  const page = { items: [], next_cursor: null };
  vi.stubGlobal("fetch", async () => Response.json(page));
  await store.dispatch(myExams.initiate());
  const seen = () => myExams.select()(store.getState()).data;
  expect(seen()).toBeDefined();
  signedIn(answerFor("ada"));
  expect(seen()).toBeDefined();
  signedIn(answerFor("grace"));
  expect(seen()).toBeUndefined();
});

import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { Provider } from "react-redux";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeStore } from "@/store";
import { type Opening, open } from "../open";
import { problem } from "../testing";
import { useOpening } from "./useOpening";

vi.mock("../open", () => ({ open: vi.fn() }));

const store = makeStore();
const tries = () => vi.mocked(open).mock.calls.length;
const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

function answering(opening: Opening): void {
  vi.mocked(open).mockImplementation(async () => opening);
}

function begin() {
  const wrapper = ({ children }: { children: ReactNode }) => <Provider store={store}>{children}</Provider>;
  return renderHook(() => useOpening("ann", "exam"), { wrapper });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.mocked(open).mockClear();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("an exam that could not be opened is tried again by itself, less and less often", async () => {
  answering({ kind: "failed", problem: problem(503) });
  const { result } = begin();
  await pass(4_999);
  expect([tries(), result.current.place.kind]).toEqual([1, "failed"]);
  await pass(1);
  expect(tries()).toBe(2);
  await pass(9_999);
  expect([tries(), result.current.place.kind]).toEqual([2, "failed"]);
  answering({ kind: "none" });
  await pass(1);
  expect([tries(), result.current.place.kind]).toEqual([3, "none"]);
});

it("waits as long as the server asks for", async () => {
  answering({ kind: "failed", problem: problem(503, "unavailable", 30) });
  begin();
  await pass(32_999);
  expect(tries()).toBe(1);
  await pass(1);
  expect(tries()).toBe(2);
});

it.each([
  [403, "forbidden"],
  [401, "unauthenticated"],
])("after %d %s it waits for the person", async (status, code) => {
  answering({ kind: "failed", problem: problem(status, code) });
  const { result } = begin();
  await pass(300_000);
  expect([tries(), result.current.place.kind]).toEqual([1, "failed"]);
  await act(async () => result.current.again());
  expect(tries()).toBe(2);
});

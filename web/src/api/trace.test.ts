import { afterEach, expect, it, vi } from "vitest";
import { traced } from "./trace";

afterEach(() => vi.restoreAllMocks());

it("begins a trace of its own with one request in a hundred", () => {
  vi.spyOn(Math, "random").mockReturnValue(0.0099);
  const first = traced().traceparent;
  expect(first).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(traced().traceparent).not.toBe(first);
});

it("leaves the others to the server", () => {
  vi.spyOn(Math, "random").mockReturnValue(0.01);
  expect(traced()).toEqual({});
});

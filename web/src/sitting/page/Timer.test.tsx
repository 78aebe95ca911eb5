import { screen, act as settle } from "@testing-library/react";
import { Provider } from "react-redux";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type AppStore, makeStore } from "@/store";
import { show } from "@/testing";
import { BLANK } from "../entry";
import { act } from "../slice";
import { AT } from "../testing";
import { attempt } from "../testing-room";
import { Timer } from "./Timer";

let store: AppStore;

/** The server's word of the time that is left, heard now. */
function word(seconds: number) {
  const heardAt = { now: performance.now(), wall: Date.now() };
  return { remainingMs: seconds * 1000, heardAt, version: 1, deadline: AT, offsetMs: 0 };
}

beforeEach(() => {
  vi.useFakeTimers();
  store = makeStore();
  const { saved_answers: _, ...paper } = attempt();
  const opened = { paper, entries: { q1: BLANK, q2: BLANK }, durable: true, savedAt: null };
  store.dispatch(act.opened({ ...opened, clock: word(600), fromJournal: false }));
  show(
    <Provider store={store}>
      <Timer />
    </Provider>,
  );
});

afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => settle(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const shown = () => screen.getByRole("timer").textContent;

it("counts down", async () => {
  expect(shown()).toBe("10:00");
  await pass(61_000);
  expect(shown()).toBe("8:59");
});

it("stands still while the exam is paused, and goes on by the server's word", async () => {
  await pass(60_000);
  await settle(async () => void store.dispatch(act.phaseChanged({ kind: "paused" })));
  await pass(120_000);
  expect(shown()).toBe("9:00");
  await settle(async () => {
    store.dispatch(act.clockHeard(word(540)));
    store.dispatch(act.phaseChanged({ kind: "open" }));
  });
  await pass(1000);
  expect(shown()).toBe("8:59");
});

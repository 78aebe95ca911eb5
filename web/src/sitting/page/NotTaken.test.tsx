import { screen } from "@testing-library/react";
import { Provider } from "react-redux";
import { expect, it } from "vitest";
import { makeStore } from "@/store";
import { show } from "@/testing";
import { BLANK, changed } from "../entry";
import { act } from "../slice";
import { AT } from "../testing";
import { attempt } from "../testing-room";
import { NotTaken } from "./NotTaken";

const { saved_answers: _, ...paper } = attempt();

function refusing(code: string, detail = "Said by the server.") {
  const store = makeStore();
  const entries = { q1: BLANK, q2: { ...changed(BLANK, "what was written", AT), acked: 1 } };
  const opened = { paper, entries, clock: null, durable: true, savedAt: null, fromJournal: false };
  store.dispatch(act.opened(opened));
  show(
    <Provider store={store}>
      <NotTaken rejected={[{ question_id: "q2", code, detail }]} />
    </Provider>,
  );
}

/** What the server may have against an answer that came with a submit. */
it.each([
  ["time_limit_exceeded", "It came after the time was up."],
  ["already_submitted", "It came after the exam was submitted."],
  ["superseded", "A newer answer was saved elsewhere, and counts."],
  ["conflict", "Another answer was saved elsewhere, and counts."],
  ["invalid", "It is not an answer that this question takes."],
])("%s is said in words, beside which answer it was", (code, words) => {
  refusing(code);
  expect(screen.getByText("One answer was not taken")).toBeDefined();
  const { textContent } = screen.getByRole("listitem");
  expect(textContent).toBe(`Question 2: ${words}what was written`);
});

it("what is new to this page is said in the server's words", () => {
  refusing("of_a_later_version");
  expect(screen.getByRole("listitem").textContent).toContain("Said by the server.");
});

it("nothing is said where all was taken", () => {
  const store = makeStore();
  const entries = { q1: BLANK, q2: BLANK };
  store.dispatch(
    act.opened({ paper, entries, clock: null, durable: true, savedAt: null, fromJournal: false }),
  );
  const { container } = show(
    <Provider store={store}>
      <NotTaken rejected={[]} />
    </Provider>,
  );
  expect(container.textContent).toBe("");
});

import { describe, expect, it } from "vitest";
import type { Exam } from "@/api/staff.gen";
import { changesOf, draftOf, isDirty, questionsOf, rebased, rosterOf } from "./draft";

const EXAM: Exam = {
  id: "e",
  status: "draft",
  title: "Biology",
  description: "",
  instructions: "",
  duration_minutes: 60,
  start_time: "2026-11-25T08:00:30Z",
  end_time: null,
  grace_seconds: 30,
  max_attempts: 1,
  shuffle_questions: false,
  shuffle_options: true,
  scoring: { multi_choice: "all_or_nothing", wrong_penalty: 0.3333 },
  result_policy: "immediate",
  reveal: "correctness",
  access_code: null,
  question_count: 1,
  max_possible: 1,
  attempt_count: 0,
  created_at: "2026-11-01T08:00:00Z",
  updated_at: "2026-11-01T08:00:00Z",
  published_at: null,
  closed_at: null,
  roster: { all: true, student_ids: [], groups: [] },
  questions: [
    { question_id: "a", points: null },
    { question_id: "b", points: 2.5 },
  ],
};

const saved = draftOf(EXAM);

describe("the form of an exam", () => {
  it("sends nothing where nothing was typed", () => {
    expect(isDirty(saved, draftOf(EXAM))).toBe(false);
    expect(changesOf(saved, draftOf(EXAM))).toBeNull();
  });

  it("sends only what differs, so that a moment keeps its seconds", () => {
    const typed = { ...saved, title: "Biology, midterm" };
    expect(changesOf(typed, saved)).toEqual({ title: "Biology, midterm" });
  });

  it("clears moments and codes with null", () => {
    const typed = { ...saved, start_time: "" };
    expect(changesOf(typed, saved)).toEqual({ start_time: null });
    expect(changesOf({ ...saved, access_code: "" }, { ...saved, access_code: "x" })).toEqual({
      access_code: null,
    });
  });

  it("gives a moment in UTC", () => {
    const typed = { ...saved, end_time: "2026-11-25T12:00" };
    expect(changesOf(typed, saved)).toEqual({ end_time: new Date(2026, 10, 25, 12).toISOString() });
  });

  it("takes a penalty in percent, exact to four decimals of a share", () => {
    expect(saved.wrong_penalty).toBe("33.33");
    expect(changesOf({ ...saved, wrong_penalty: "12.35" }, saved)?.scoring?.wrong_penalty).toBe(0.1235);
  });

  it("leaves a question its own points", () => {
    expect(questionsOf(saved)).toEqual([
      { question_id: "a", points: null },
      { question_id: "b", points: 2.5 },
    ]);
  });

  it("names a roster only where it is not everyone", () => {
    expect(rosterOf(saved)).toEqual({ all: true });
    expect(rosterOf({ ...saved, everyone: false, groups: ["a"] })).toEqual({
      groups: ["a"],
      student_ids: [],
    });
  });

  it("keeps what was typed while a save was under way", () => {
    const sent = { ...saved, title: "Sent", duration_minutes: "060" };
    const typed = { ...sent, title: "Typed since" };
    const stored = { ...saved, title: "Sent", duration_minutes: "60" };
    expect(rebased(typed, sent, stored)).toEqual({ ...stored, title: "Typed since" });
  });
});

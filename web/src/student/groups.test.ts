import { describe, expect, it } from "vitest";
import type { MyExam } from "@/api/student.gen";
import { attemptsLeft, grouped, groupOf } from "./groups";

const EXAM: MyExam = {
  access_code_needed: false,
  attempts_used: 0,
  description: "",
  duration_minutes: 60,
  end_time: null,
  id: "e",
  max_attempts: 1,
  max_possible: 20,
  my_status: "not_started",
  phase: "open",
  question_count: 20,
  start_time: null,
  student_exam_id: null,
  time_remaining_seconds: null,
  title: "Exam",
};

describe("my exams", () => {
  it.each<[Partial<MyExam>, string]>([
    [{ my_status: "in_progress", attempts_used: 1 }, "running"],
    [{ my_status: "paused", attempts_used: 1 }, "running"],
    [{ my_status: "in_progress", phase: "past", attempts_used: 1 }, "running"],
    [{}, "open"],
    [{ my_status: "submitted", attempts_used: 1, max_attempts: 2 }, "open"],
    [{ my_status: "submitted", attempts_used: 1 }, "done"],
    [{ phase: "upcoming" }, "upcoming"],
    [{ phase: "past" }, "done"],
  ])("%o is %s", (exam, group) => expect(groupOf({ ...EXAM, ...exam })).toBe(group));

  it("never have fewer than no attempts left", () => {
    expect(attemptsLeft({ ...EXAM, attempts_used: 3 })).toBe(0);
  });

  it("put first what ends first", () => {
    const never = { ...EXAM, id: "never" };
    const soon = { ...EXAM, id: "soon", end_time: "2026-11-25T10:00:00Z" };
    const later = { ...EXAM, id: "later", end_time: "2026-11-26T10:00:00Z" };
    expect(grouped([never, later, soon]).open.map(({ id }) => id)).toEqual(["soon", "later", "never"]);
  });
});

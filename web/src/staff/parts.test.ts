import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Accommodation, Question } from "@/api/staff.gen";
import { bodyOf, extended, grantFaults, grantOf } from "./accommodations/grant";
import { changes, placeOf } from "./audit/words";
import { isoOf, localOf } from "./localTime";
import { scoreFault } from "./marking/score";
import { answerLines, keyLines } from "./results/answer";

const WORDS = { yes: "True", no: "False" };
const CHOICE = {
  type: "multi_choice",
  options: [
    { id: "A", text: "Nucleus" },
    { id: "B", text: "Cell" },
  ],
  key: { correct: ["B"] },
} as Question;

describe("moments in fields", () => {
  it("come back to the minute", () => {
    const minutes = fc.integer({ min: 0, max: 60_000_000 });
    fc.assert(
      fc.property(minutes, (minute) => {
        const iso = new Date(minute * 60_000).toISOString();
        // Where clocks go back, an hour has two moments: the field can't tell them apart.
        expect(localOf(isoOf(localOf(iso)))).toBe(localOf(iso));
      }),
    );
    expect(isoOf("")).toBeNull();
    expect(isoOf("2026-13-45T10:00")).toBeNull();
  });
});

describe("accommodations", () => {
  const FOUND: Accommodation = {
    student_id: "s",
    exam_id: null,
    extra_time_percent: 25,
    extra_attempts: 1,
    start_time: "2026-11-25T08:00:30Z",
    end_time: null,
    updated_at: "2026-11-25T08:00:30Z",
  };
  it("keep a moment that was not touched to the second", () => {
    expect(bodyOf(grantOf(FOUND), FOUND)).toEqual({
      extra_time_percent: 25,
      extra_attempts: 1,
      start_time: FOUND.start_time,
      end_time: null,
    });
  });
  it("say what comes of extra time", () => {
    expect(extended(60, 25)).toBe(75);
    expect(extended(50, 33)).toBe(66.5);
  });
  it("are refused beyond their limits", () => {
    expect(grantFaults({ ...grantOf(null), extra_time_percent: "401" })).toEqual({
      extra_time_percent: "whole",
    });
    expect(grantFaults({ ...grantOf(null), extra_attempts: "1.5" })).toEqual({ extra_attempts: "whole" });
  });
});

describe("marks", () => {
  it.each([
    ["", "scoreMissing"],
    ["-1", "scoreMissing"],
    ["two", "scoreMissing"],
    ["2.01", "scoreAbove"],
    ["1.005", "scoreDecimals"],
    ["2", null],
    ["0.5", null],
  ])("%s of 2 is %s", (typed, fault) => expect(scoreFault(typed, 2)).toBe(fault));
});

describe("answers", () => {
  it("are read by the texts of their options", () => {
    expect(answerLines(["A", "B"], CHOICE, WORDS)).toEqual([
      { letter: "A", text: "Nucleus" },
      { letter: "B", text: "Cell" },
    ]);
    expect(keyLines(CHOICE, WORDS)).toEqual([{ letter: "B", text: "Cell" }]);
    expect(answerLines(null, CHOICE, WORDS)).toEqual([]);
    expect(answerLines("true", { ...CHOICE, type: "true_false" }, WORDS)).toEqual([
      { letter: "", text: "True" },
    ]);
    expect(keyLines({ ...CHOICE, key: { value: 9.81, tolerance: 0.01 } }, WORDS)).toEqual([
      { letter: "", text: "9.81 ± 0.01" },
    ]);
  });
});

describe("the audit trail", () => {
  it("shows changes field by field", () => {
    expect(changes({ title: "A" }, { title: "B", groups: ["x"] })).toEqual([
      { name: "groups", before: "", after: '["x"]' },
      { name: "title", before: "A", after: "B" },
    ]);
    expect(changes(null, null)).toEqual([]);
  });
  it("leads to what it speaks of", () => {
    expect(placeOf("accommodation", "s/all")).toBe("/admin/people/accommodations/?student=s");
    expect(placeOf("accommodation", "s/e")).toBe("/admin/exams/accommodations/?id=e&student=s");
    expect(placeOf("session", "x")).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import type { Question } from "@/api/staff.gen";
import { checklist, isReady, questionFault, reasonsOf } from "./checklist";
import type { Draft } from "./draft";
import { faultsOf, toldOf } from "./faults";

const DRAFT: Draft = {
  title: "Biology",
  description: "",
  instructions: "",
  duration_minutes: "60",
  start_time: "",
  end_time: "",
  grace_seconds: "30",
  max_attempts: "1",
  access_code: "",
  shuffle_questions: false,
  shuffle_options: true,
  multi_choice: "all_or_nothing",
  wrong_penalty: "0",
  result_policy: "immediate",
  reveal: "correctness",
  questions: [{ id: "a", points: "" }],
  everyone: true,
  groups: [],
  student_ids: [],
};
const QUESTION = { id: "a", type: "numeric", archived: false, key: { value: 1, tolerance: 0 } } as Question;
const NOW = Date.parse("2026-11-25T10:00:00Z");

function items(changes: Partial<Draft> = {}, more: Partial<Parameters<typeof checklist>[1]> = {}) {
  const draft = { ...DRAFT, ...changes };
  const questions = new Map([["a", QUESTION]]);
  return checklist(draft, {
    faults: faultsOf(draft),
    dirty: false,
    questions,
    reasons: [],
    now: NOW,
    ...more,
  });
}

function missing(...args: Parameters<typeof items>): string[] {
  return items(...args)
    .filter(({ standing }) => standing === "missing")
    .map(({ code }) => code);
}

describe("the checklist before publishing", () => {
  it("is ready where nothing is missing", () => {
    expect(missing()).toEqual([]);
    expect(isReady(items())).toBe(true);
  });

  it.each([
    ["title", { title: "  " }],
    ["duration", { duration_minutes: "0" }],
    ["window", { start_time: "2027-01-02T10:00", end_time: "2027-01-01T10:00" }],
    ["window", { end_time: "2026-11-20T10:00" }],
    ["questions", { questions: [] }],
    ["points", { questions: [{ id: "a", points: "1.234" }] }],
  ] as const)("misses %s", (code, changes) => {
    expect(missing(changes as Partial<Draft>)).toEqual([code]);
  });

  it("misses a save, and questions that are archived or lack a key", () => {
    expect(missing({}, { dirty: true })).toEqual(["saved"]);
    const archived = new Map([["a", { ...QUESTION, archived: true }]]);
    expect(missing({}, { questions: archived })).toEqual(["keys"]);
    expect(questionFault({ ...QUESTION, key: null })).toBe("noKey");
    expect(questionFault({ ...QUESTION, type: "text", key: null })).toBeNull();
  });

  it("only notes that nobody may sit it", () => {
    const who = items({ everyone: false }).find(({ code }) => code === "who");
    expect(who?.standing).toBe("note");
    expect(isReady(items({ everyone: false }))).toBe(true);
  });

  it("puts the server's reasons in their places, and says those it does not know in its words", () => {
    const refused = {
      status: 409,
      code: "not_publishable",
      detail: "No.",
      reasons: [
        { code: "question_without_key", detail: "Question 1 has no key.", question_id: "a" },
        { code: "moon_is_full", detail: "The moon is full." },
      ],
    };
    const reasons = reasonsOf(refused);
    expect(missing({}, { reasons })).toEqual(["keys", "other"]);
    expect(items({}, { reasons }).at(-1)?.detail).toBe("The moon is full.");
    expect(reasonsOf({ status: 409, code: "closed", detail: "No." })).toEqual([]);
  });
});

describe("what the server complains of", () => {
  it("is told by field", () => {
    const errors = [
      { loc: ["body", "scoring", "wrong_penalty"], msg: "too much" },
      { loc: ["questions", 3, "points"], msg: "too few" },
    ];
    expect(toldOf({ status: 422, code: "invalid", detail: "", errors })).toEqual({
      wrong_penalty: "too much",
      "questions.3.points": "too few",
    });
  });
});

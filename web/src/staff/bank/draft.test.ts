import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Question } from "@/api/staff.gen";
import { bodyOf, draftOf, emptyDraft, sameDraft, withType } from "./draft";
import { faultsOf, serverFaults } from "./faults";
import { decimal, plainNumber } from "./numbers";

const QUESTION: Question = {
  id: "q",
  version: 3,
  version_id: "v",
  external_id: null,
  type: "multi_choice",
  text: "Which are even?",
  options: [
    { id: "A", text: "2" },
    { id: "B", text: "3" },
    { id: "C", text: "4" },
  ],
  points: 2.5,
  category: "numbers",
  tags: ["easy"],
  explanation: null,
  media: [{ file_id: "f", alt: "numbers", caption: "kept" }, "cell.png"],
  key: { correct: ["A", "C"] },
  archived: false,
  created_at: "",
  updated_at: "",
};

describe("a draft", () => {
  it.each<Partial<Question>>([
    {},
    { type: "single_choice", key: { correct: ["B"] } },
    { type: "true_false", options: [], key: { correct: false } },
    { type: "short_text", options: [], key: { accepted: ["a", "b"], case_sensitive: true } },
    { type: "text", options: [], key: null },
    { type: "image", options: [], key: null, explanation: "Look for the nucleus." },
  ])("gives back the question that it was made of: %j", (part) => {
    const question = { ...QUESTION, ...part };
    const body = bodyOf(draftOf(question));
    const { type, text, points, category, tags, explanation, media } = question;
    expect(body).toMatchObject({ type, text, points, category, tags, explanation, media, external_id: null });
    if (question.key) expect(body.key).toEqual(question.key);
    if (question.options.length) expect(body.options).toEqual(question.options);
  });

  it("sends a number as a plain decimal", () => {
    const draft = { ...emptyDraft(), type: "numeric" as const, value: "٣٫٥", tolerance: "0,1" };
    expect(bodyOf(draft).key).toEqual({ value: "3.5", tolerance: "0.1" });
  });

  it("letters options by their place", () => {
    const draft = draftOf(QUESTION);
    const turned = { ...draft, options: draft.options.toReversed() };
    expect(bodyOf(turned)).toMatchObject({
      options: [
        { id: "A", text: "4" },
        { id: "B", text: "3" },
        { id: "C", text: "2" },
      ],
      key: { correct: ["A", "C"] },
    });
  });

  it("keeps everything when its type changes, and one right option for a single choice", () => {
    const draft = draftOf(QUESTION);
    expect(withType(withType(draft, "text"), "multi_choice")).toEqual(draft);
    expect(withType(draft, "single_choice").options.map((one) => one.correct)).toEqual([true, false, false]);
  });

  it("is the same as another by what it says", () => {
    expect(sameDraft(draftOf(QUESTION), draftOf(QUESTION))).toBe(true);
    expect(sameDraft(draftOf(QUESTION), draftOf({ ...QUESTION, key: { correct: ["A"] } }))).toBe(false);
  });
});

describe("what is wrong with a draft", () => {
  it("is nothing for a question of the bank", () => {
    expect(faultsOf(draftOf(QUESTION))).toEqual({});
  });

  it("is told at its field", () => {
    const draft = { ...draftOf(QUESTION), text: " ", points: "1.005" };
    draft.options = [
      { key: 1, text: "2", correct: false },
      { key: 2, text: "2 ", correct: false },
      { key: 3, text: "", correct: false },
    ];
    expect(Object.keys(faultsOf(draft)).sort()).toEqual([
      "key.correct",
      "options.1.text",
      "options.2.text",
      "points",
      "text",
    ]);
  });

  it("is found in what the server says, whichever type it names", () => {
    const problem = {
      status: 422,
      code: "invalid",
      detail: "",
      errors: [
        { loc: ["body", "text", "text"], msg: "too long" },
        { loc: ["body", "numeric", "key", "value"], msg: "no" },
        { loc: ["body", "options", 2, "text"], msg: "missing" },
      ],
    };
    expect(serverFaults(problem)).toEqual({
      text: { text: "too long" },
      "key.value": { text: "no" },
      "options.2.text": { text: "missing" },
    });
  });
});

describe("numbers", () => {
  it.each([
    ["3,5", "3.5"],
    ["+7", "7"],
    ["−2", "-2"],
    [".5", "0.5"],
    ["1.", "1"],
    ["1,000.5", null],
    ["1e3", null],
    ["", null],
  ])("%j is %j", (typed, read) => expect(decimal(typed)).toBe(read));

  it("are written without an exponent, and read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 9 }), (whole, places) => {
        const value = whole / 10 ** places;
        expect(Number(decimal(plainNumber(value)))).toBeCloseTo(value, 12);
      }),
    );
  });
});

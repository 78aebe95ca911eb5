import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberOf } from "./numeric";

describe("numbers as people type them", () => {
  it.each([
    ["3.5", "3.5"],
    [" 3,5 ", "3.5"],
    ["٣٫٥", "3.5"],
    ["۳٫۵", "3.5"],
    ["−12", "-12"],
    ["1e3", "1e3"],
    [".5", ".5"],
    ["5.", "5."],
  ])("%s is %s", (typed, number) => expect(numberOf(typed)).toBe(number));

  it.each([
    "",
    "abc",
    "12 cm",
    "1,000.5",
    "1,000,000",
    "--1",
    "1e",
    "1e9999",
    "0x10",
    "NaN",
    "9".repeat(101),
  ])("%s is none", (typed) => expect(numberOf(typed)).toBeNull());

  it("what it gives is what the server takes, whatever was typed", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789+-.,eE ٣٫x") }), (typed) => {
        const number = numberOf(typed);
        if (number !== null) expect(Number.isNaN(Number(number))).toBe(false);
      }),
    );
  });
});

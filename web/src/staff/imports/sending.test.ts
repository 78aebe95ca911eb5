import { expect, it } from "vitest";
import { fileFault, MOST_BYTES } from "./sending";

it.each([
  ["questions.xlsx", 10, null],
  ["QUESTIONS.CSV", MOST_BYTES, null],
  ["questions.xlsx", MOST_BYTES + 1, "tooLarge"],
  ["questions.pdf", 10, "notWorkbook"],
  ["questions", 10, "notWorkbook"],
  ["questions.ods", 0, "empty"],
] as const)("a file %s of %i bytes: %s", (name, size, fault) => {
  expect(fileFault({ name, size })).toBe(fault);
});

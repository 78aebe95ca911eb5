/** The types of questions. */
import type { Question } from "@/api/staff.gen";

export type QuestionType = Question["type"];

export const TYPES: readonly QuestionType[] = [
  "single_choice",
  "multi_choice",
  "true_false",
  "numeric",
  "short_text",
  "text",
  "image",
];

export function isType(value: string): value is QuestionType {
  return (TYPES as readonly string[]).includes(value);
}

export function hasOptions(type: QuestionType): boolean {
  return type === "single_choice" || type === "multi_choice";
}

/** An answer or a key as people read it: option texts instead of letters. */
import type { FullResultItem, Question } from "@/api/staff.gen";

export interface Line {
  /** "B"; "" where there are no letters. */
  letter: string;
  text: string;
}

type Answer = FullResultItem["answer"];

/** Empty where nothing was answered. `yes`, `no`: the words for `true` and `false`. */
export function answerLines(
  answer: Answer,
  question: Question | undefined,
  words: { yes: string; no: string },
): Line[] {
  if (answer === null || answer === "") return [];
  const parts = Array.isArray(answer) ? answer : [answer];
  if (question?.type === "true_false") {
    return parts.map((part) => ({ letter: "", text: part === "true" ? words.yes : words.no }));
  }
  if (question?.type !== "single_choice" && question?.type !== "multi_choice") {
    return parts.map((text) => ({ letter: "", text }));
  }
  const texts = new Map(question.options.map(({ id, text }) => [id, text]));
  return parts.toSorted().map((letter) => ({ letter, text: texts.get(letter) ?? "" }));
}

/** What is right; empty where people judge. */
export function keyLines(question: Question | undefined, words: { yes: string; no: string }): Line[] {
  const key = question?.key;
  if (!question || !key) return [];
  if ("value" in key) {
    const text = key.tolerance ? `${key.value} ± ${key.tolerance}` : String(key.value);
    return [{ letter: "", text }];
  }
  if ("accepted" in key) return key.accepted.map((text) => ({ letter: "", text }));
  const correct = typeof key.correct === "boolean" ? String(key.correct) : key.correct;
  return answerLines(correct, question, words);
}

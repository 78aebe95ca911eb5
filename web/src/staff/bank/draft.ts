/** A question while it is written: what the fields hold, for all types at once, so that a change of type loses nothing. */
import type { CreateQuestionApiArg, Question } from "@/api/staff.gen";
import { decimal, plainNumber } from "./numbers";
import { hasOptions, type QuestionType } from "./types";

export type QuestionBody = CreateQuestionApiArg["body"];
export type MediaItem = Question["media"][number];

export interface DraftOption {
  /** Stays with the option wherever it is moved; its letter is its place. */
  key: number;
  text: string;
  correct: boolean;
}

export interface DraftMedia {
  key: number;
  item: MediaItem;
}

export interface Draft {
  type: QuestionType;
  text: string;
  options: DraftOption[];
  isTrue: boolean | null;
  value: string;
  tolerance: string;
  /** One a line. */
  accepted: string;
  caseSensitive: boolean;
  points: string;
  category: string;
  tags: string[];
  externalId: string;
  explanation: string;
  media: DraftMedia[];
}

let lastKey = 0;

export function nextKey(): number {
  lastKey += 1;
  return lastKey;
}

export function letter(place: number): string {
  return String.fromCharCode(65 + place);
}

export function emptyOption(): DraftOption {
  return { key: nextKey(), text: "", correct: false };
}

/** `like`: the question written before, which has its category and tags in common with the next. */
export function emptyDraft(like?: Draft): Draft {
  return {
    type: like?.type ?? "single_choice",
    text: "",
    options: [emptyOption(), emptyOption(), emptyOption(), emptyOption()],
    isTrue: null,
    value: "",
    tolerance: "0",
    accepted: "",
    caseSensitive: false,
    points: like?.points ?? "1",
    category: like?.category ?? "",
    tags: like?.tags ?? [],
    externalId: "",
    explanation: "",
    media: [],
  };
}

export function draftOf(question: Question): Draft {
  const { key } = question;
  const empty = emptyDraft();
  const draft: Draft = {
    ...empty,
    type: question.type,
    text: question.text,
    options: question.options.length
      ? question.options.map(({ id, text }) => ({ key: nextKey(), text, correct: isCorrect(question, id) }))
      : empty.options,
    points: plainNumber(question.points),
    category: question.category,
    tags: question.tags,
    externalId: question.external_id ?? "",
    explanation: question.explanation ?? "",
    media: question.media.map((item) => ({ key: nextKey(), item })),
  };
  if (!key) return draft;
  if ("value" in key)
    return { ...draft, value: plainNumber(key.value), tolerance: plainNumber(key.tolerance) };
  if ("accepted" in key)
    return { ...draft, accepted: key.accepted.join("\n"), caseSensitive: key.case_sensitive };
  return typeof key.correct === "boolean" ? { ...draft, isTrue: key.correct } : draft;
}

function isCorrect({ key }: Question, option: string): boolean {
  return key !== null && "correct" in key && Array.isArray(key.correct) && key.correct.includes(option);
}

export function acceptedTexts(draft: Draft): string[] {
  return draft.accepted
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean);
}

/** What the API is sent. For a draft without faults; see `faultsOf`. */
export function bodyOf(draft: Draft): QuestionBody {
  const common = {
    text: draft.text,
    points: Number(decimal(draft.points)),
    category: draft.category.trim(),
    tags: draft.tags,
    external_id: draft.externalId.trim() || null,
    explanation: draft.explanation.trim() ? draft.explanation : null,
    media: draft.media.map((one) => one.item),
  };
  if (hasOptions(draft.type)) {
    const options = draft.options.map(({ text }, place) => ({ id: letter(place), text }));
    const correct = options.filter((_, place) => draft.options[place]?.correct).map(({ id }) => id);
    return { ...common, type: draft.type as "single_choice" | "multi_choice", options, key: { correct } };
  }
  switch (draft.type) {
    case "true_false":
      return { ...common, type: "true_false", key: { correct: draft.isTrue === true } };
    case "numeric":
      return {
        ...common,
        type: "numeric",
        key: { value: decimal(draft.value) ?? "", tolerance: decimal(draft.tolerance || "0") ?? "" },
      };
    case "short_text":
      return {
        ...common,
        type: "short_text",
        key: { accepted: acceptedTexts(draft), case_sensitive: draft.caseSensitive },
      };
    case "image":
      return { ...common, type: "image" };
    default:
      return { ...common, type: "text" };
  }
}

/** A single choice has one right option: the first of those that were marked. */
export function withType(draft: Draft, type: QuestionType): Draft {
  if (type !== "single_choice") return { ...draft, type };
  const first = draft.options.findIndex((one) => one.correct);
  return {
    ...draft,
    type,
    options: draft.options.map((one, place) => ({ ...one, correct: place === first })),
  };
}

export function sameDraft(one: Draft, other: Draft): boolean {
  return JSON.stringify(comparable(one)) === JSON.stringify(comparable(other));
}

function comparable(draft: Draft): unknown {
  return {
    ...draft,
    options: draft.options.map(({ text, correct }) => [text, correct]),
    media: draft.media.map(({ item }) => item),
  };
}

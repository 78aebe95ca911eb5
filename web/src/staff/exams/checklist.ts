/** What is missing before an exam can be published: what the form can tell, and what the server refused for. */
import * as z from "zod/mini";
import type { Question } from "@/api/staff.gen";
import { isoOf } from "../localTime";
import type { Draft } from "./draft";
import type { Faults } from "./faults";

export const TABS = ["basics", "questions", "scoring", "who"] as const;
export type Tab = (typeof TABS)[number];

export type Standing = "done" | "missing" | "note";

export interface Item {
  code: "title" | "duration" | "window" | "questions" | "keys" | "points" | "who" | "saved" | "other";
  standing: Standing;
  tab: Tab;
  /** For `other`: the server's own words. */
  detail?: string;
}

const Reasons = z.array(
  z.looseObject({ code: z.string(), detail: z.string(), question_id: z.optional(z.string()) }),
);
export type Reason = z.infer<typeof Reasons>[number];

/** The reasons of a 409 `not_publishable`. */
export function reasonsOf(error: unknown): Reason[] {
  const parsed = z.looseObject({ code: z.literal("not_publishable"), reasons: Reasons }).safeParse(error);
  return parsed.success ? parsed.data.reasons : [];
}

/** Why a question keeps an exam from being published. `question`: undefined while it isn't loaded. */
export function questionFault(question: Question | undefined): "archived" | "noKey" | null {
  if (!question) return null;
  if (question.archived) return "archived";
  const needsKey = question.type !== "text" && question.type !== "image";
  return needsKey && question.key === null ? "noKey" : null;
}

interface Known {
  faults: Faults;
  dirty: boolean;
  questions: ReadonlyMap<string, Question>;
  reasons: readonly Reason[];
  now: number;
}

const PLACES: Record<string, Item["code"]> = {
  no_questions: "questions",
  end_before_start: "window",
  end_in_past: "window",
  question_archived: "keys",
  question_without_key: "keys",
};

export function checklist(draft: Draft, { faults, dirty, questions, reasons, now }: Known): Item[] {
  const end = isoOf(draft.end_time);
  const past = end !== null && Date.parse(end) <= now;
  const refused = new Set(reasons.map(({ code }) => PLACES[code]));
  const unfit = draft.questions.some(({ id }) => questionFault(questions.get(id)));
  const nobody = !draft.everyone && !draft.groups.length && !draft.student_ids.length;
  const item = (code: Item["code"], tab: Tab, missing: boolean): Item => ({
    code,
    tab,
    standing: missing || refused.has(code) ? "missing" : "done",
  });
  return [
    item("title", "basics", Boolean(faults.title)),
    item("duration", "basics", Boolean(faults.duration_minutes)),
    item("window", "basics", past || Boolean(faults.end_time)),
    item("questions", "questions", draft.questions.length === 0),
    item("keys", "questions", unfit),
    item("points", "questions", Boolean(faults.questions)),
    { code: "who", tab: "who", standing: nobody ? "note" : "done" },
    item("saved", "basics", dirty),
    ...reasons
      .filter(({ code }) => !(code in PLACES))
      .map(({ detail }): Item => ({ code: "other", tab: "basics", standing: "missing", detail })),
  ];
}

export function isReady(items: readonly Item[]): boolean {
  return items.every(({ standing }) => standing !== "missing");
}

/** What is wrong with a form before the server is asked, and where the server's complaints belong. */
import { isProblem } from "@/api/problem";
import { isoOf } from "../localTime";
import { type Draft, MOST, type Name } from "./draft";

export type Fault = "missing" | "tooLong" | "whole" | "percent" | "endBeforeStart" | "points";
export type Faults = Partial<Record<Name, Fault>>;

const LONGEST = { title: 200, description: 10_000, instructions: 20_000, access_code: 100 } as const;
const LEAST = { duration_minutes: 1, grace_seconds: 0, max_attempts: 1 } as const;

/** All that keeps these values from being saved. */
export function faultsOf(draft: Draft): Faults {
  const found: Faults = {};
  for (const [name, most] of Object.entries(LONGEST) as [keyof typeof LONGEST, number][]) {
    if ([...draft[name]].length > most) found[name] = "tooLong";
  }
  if (!draft.title.trim()) found.title = "missing";
  for (const [name, least] of Object.entries(LEAST) as [keyof typeof LEAST, number][]) {
    if (!isWhole(draft[name], least, MOST[name])) found[name] = "whole";
  }
  if (!isBetween(draft.wrong_penalty, 0, 100)) found.wrong_penalty = "percent";
  const [start, end] = [isoOf(draft.start_time), isoOf(draft.end_time)];
  if (start && end && end <= start) found.end_time = "endBeforeStart";
  if (draft.questions.some(({ points }) => !arePoints(points))) found.questions = "points";
  return found;
}

/** "" stands for the question's own. */
export function arePoints(text: string): boolean {
  return text.trim() === "" || (isBetween(text, 0.01, MOST.points) && /^\d+(\.\d{1,2})?$/.test(text.trim()));
}

export function isWhole(text: string, least: number, most: number): boolean {
  return /^\d+$/.test(text.trim()) && isBetween(text, least, most);
}

function isBetween(text: string, least: number, most: number): boolean {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return number >= least && number <= most;
}

/** The sentences of a 422 by the field they speak of: `["body", "scoring", "wrong_penalty"]` is `wrong_penalty`. */
export function toldOf(error: unknown): Record<string, string> {
  const errors = isProblem(error) ? (error.errors ?? []) : [];
  const told: Record<string, string> = {};
  for (const { loc, msg } of errors) {
    const path = loc.filter((part) => part !== "body" && part !== "scoring");
    if (path.length) told[path.join(".")] = msg;
  }
  return told;
}

/** How long to wait before asking a server again: 5 s, 10 s, 20 s … 60 s, spread so that a class does not ask at once. */
import type { ApiProblem } from "@/api/problem";

const FIRST_MS = 5_000;
const SPREAD = 0.2;
/** With its spread no more than 60 s. */
const MOST_MS = 50_000;

export function spread(ms: number, random: () => number): number {
  return Math.round(ms * (1 + SPREAD * (2 * random() - 1)));
}

/** `failures` so far, from 1. What the server asks for (`Retry-After`, s) is kept, and spread only upwards. */
export function backoff(failures: number, random: () => number, retryAfter?: number): number {
  const wait = spread(Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1)), random);
  const asked = (retryAfter ?? 0) * 1000 * (1 + SPREAD * random());
  return Math.max(wait, Math.round(asked));
}

/** It may pass by itself: no answer, a lost session, too much at once, something behind is down. */
export function isPassing({ status }: ApiProblem): boolean {
  return [0, 401, 408, 429].includes(status) || status >= 500;
}

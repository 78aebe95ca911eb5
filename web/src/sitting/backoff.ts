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
  return Math.max(wait, asked(random, retryAfter));
}

/** What the server asks for, ms. */
export function asked(random: () => number, retryAfter = 0): number {
  return Math.round(retryAfter * 1000 * (1 + SPREAD * random()));
}

/** The server's own words by which sending again changes nothing. */
const FINAL = new Set([
  "time_limit_exceeded",
  "already_submitted",
  "attempt_void",
  "attempt_paused",
  "not_found",
  "forbidden",
  "invalid",
  "too_large",
]);

/** It may pass by itself: whatever is not the server's last word, such as a proxy's or a portal's 4xx. */
export function isPassing({ code }: ApiProblem): boolean {
  return !FINAL.has(code);
}

/** By the server's word, not by that of something on the way. */
export function isLoggedOut({ status, code }: ApiProblem): boolean {
  return status === 401 && code !== "unreadable";
}

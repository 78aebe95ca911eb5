"use client";
/** How long to wait before one asks again for a grade: often at first, then seldom. */
import { useEffect, useState } from "react";

const FIRST_MS = 2_000;
const MOST_MS = 60_000;
const GROWTH = 1.6;

/** For `pollingInterval`: 0 where nothing is awaited. `asked`: any value that changes with each answer. */
export function usePatience(waiting: boolean, asked: unknown): number {
  const [wait, setWait] = useState(FIRST_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer makes the next wait longer
  useEffect(() => {
    if (waiting) setWait((before) => Math.min(MOST_MS, Math.round(before * GROWTH)));
  }, [waiting, asked]);
  return waiting ? wait : 0;
}

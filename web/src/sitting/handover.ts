/** The attempt that a start has just given, for the exam page that comes next: it need not ask again. */
import type { Attempt } from "@/api/student.gen";
import type { Now } from "./clock";

interface Handed {
  attempt: Attempt;
  /** When it was received: its clock has run since. */
  at: Now;
}

let handed: Handed | null = null;

export function handOver(attempt: Attempt): void {
  handed = { attempt, at: { now: performance.now(), wall: Date.now() } };
}

/** Once: a page that is opened later resumes. */
export function takeHandedOver(examId: string): Handed | null {
  const found = handed?.attempt.exam.id === examId ? handed : null;
  handed = null;
  return found;
}

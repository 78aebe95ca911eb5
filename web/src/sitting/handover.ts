/** The attempt that a start has just given, for the exam page that comes next: it need not ask again. */
import type { Attempt } from "@/api/student.gen";

let handed: Attempt | null = null;

export function handOver(attempt: Attempt): void {
  handed = attempt;
}

/** Once: a page that is opened later resumes. */
export function takeHandedOver(examId: string): Attempt | null {
  const found = handed?.exam.id === examId ? handed : null;
  handed = null;
  return found;
}

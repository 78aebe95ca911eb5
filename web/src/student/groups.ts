/** Which of my exams stand where: what goes on, what may be started, what comes, what is over. */
import type { MyExam } from "@/api/student.gen";

export const GROUPS = ["running", "open", "upcoming", "done"] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf(exam: MyExam): Group {
  if (exam.my_status === "in_progress" || exam.my_status === "paused") return "running";
  if (exam.phase === "upcoming") return "upcoming";
  return exam.phase === "open" && attemptsLeft(exam) > 0 ? "open" : "done";
}

export function attemptsLeft(exam: MyExam): number {
  return Math.max(0, exam.max_attempts - exam.attempts_used);
}

/** What ends or begins first comes first; of what is over, the latest. */
export function grouped(exams: MyExam[]): Record<Group, MyExam[]> {
  const groups: Record<Group, MyExam[]> = { running: [], open: [], upcoming: [], done: [] };
  for (const exam of exams) groups[groupOf(exam)].push(exam);
  groups.running.sort((a, b) => (a.time_remaining_seconds ?? 0) - (b.time_remaining_seconds ?? 0));
  groups.open.sort((a, b) => moment(a.end_time) - moment(b.end_time));
  groups.upcoming.sort((a, b) => moment(a.start_time) - moment(b.start_time));
  groups.done.sort((a, b) => moment(b.end_time) - moment(a.end_time));
  return groups;
}

/** No end is later than every end. */
function moment(iso: string | null): number {
  return iso ? Date.parse(iso) : Number.MAX_SAFE_INTEGER;
}

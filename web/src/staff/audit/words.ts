/** What the audit trail speaks of; others are shown by their code. */

export const ACTIONS = [
  "exam.created",
  "exam.updated",
  "exam.questions_set",
  "exam.roster_set",
  "exam.publication_begun",
  "exam.publication_refused",
  "exam.published",
  "exam.closed",
  "exam.deleted",
  "paper.frozen",
  "results.released",
  "answer.marked",
  "attempt.extended",
  "accommodation.set",
  "accommodation.deleted",
  "question.created",
  "question.updated",
  "question.archived",
  "keys.stored",
  "import.started",
  "import.completed",
  "import.failed",
  "user.created",
  "user.updated",
  "user.deactivated",
  "user.reactivated",
  "password.changed",
  "password.reset",
  "password.link_created",
  "password.set_by_link",
  "session.started",
  "session.ended",
  "signing_key.published",
  "signing_key.removed",
] as const;

export const OBJECTS = [
  "exam",
  "attempt",
  "accommodation",
  "question",
  "answer_keys",
  "import",
  "user",
  "session",
  "signing_key",
] as const;

/** Messages are nested at dots. */
export function keyOf(code: string): string {
  return code.replaceAll(".", "_");
}

/** The page of what an entry speaks of, where there is one. */
export function placeOf(type: string, id: string): string | null {
  const safe = encodeURIComponent(id);
  if (type === "exam") return `/admin/exams/edit/?id=${safe}`;
  if (type === "question") return `/admin/questions/edit/?id=${safe}`;
  if (type === "import") return `/admin/imports/?id=${safe}`;
  if (type !== "accommodation") return null;
  const [student = "", exam = "all"] = id.split("/").map(encodeURIComponent);
  return exam === "all"
    ? `/admin/people/accommodations/?student=${student}`
    : `/admin/exams/accommodations/?id=${exam}&student=${student}`;
}

export interface Change {
  name: string;
  before: string;
  after: string;
}

/** Field by field; "" where there was, or is, nothing. */
export function changes(before: unknown, after: unknown): Change[] {
  const [old, now] = [fields(before), fields(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  return names.map((name) => ({ name, before: written(old[name]), after: written(now[name]) }));
}

function fields(state: unknown): Record<string, unknown> {
  return typeof state === "object" && state !== null ? (state as Record<string, unknown>) : {};
}

function written(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

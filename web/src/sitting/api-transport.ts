/** Taking an exam over the REST API. What comes back is looked at here, once. */
import * as z from "zod/mini";
import { send } from "@/api/base";
import { type ApiProblem, isProblem, problemOf } from "@/api/problem";
import type { Attempt, Submitted } from "@/api/student.gen";
import type { SavedReply, Transport } from "./transport";

/** What hangs for longer is taken for lost; sending it again is harmless. */
const PATIENCE_MS = 20_000;
/** In the last moments another try is worth more than patience. */
const HURRIED_MS = 8_000;
/** A submit waits up to 2 s for its grade; the answers of a whole exam may travel along. */
const SUBMIT_PATIENCE_MS = 60_000;

/** Browsers refuse to keep more than 64 KiB alive. */
const KEEPALIVE_BYTES = 60_000;

const AnswerShape = z.union([z.string(), z.array(z.string()), z.null()]);
const StoredShape = z.object({ answer: AnswerShape, revision: z.number(), saved_at: z.string() });
const Current = z.optional(z.nullable(StoredShape));
const Clock = {
  deadline: z.string(),
  deadline_version: z.number(),
  server_time: z.string(),
  time_remaining_seconds: z.number(),
};
const Rejected = z.object({
  question_id: z.string(),
  code: z.string(),
  detail: z.string(),
  current: Current,
});

const SavedShape = z.object({
  ...Clock,
  saved: z.array(
    z.object({
      question_id: z.string(),
      outcome: z.enum(["stored", "repeat", "superseded"]),
      revision: z.number(),
      saved_at: z.string(),
      current: Current,
    }),
  ),
  rejected: z.array(Rejected),
});

const AttemptShape = z.looseObject({
  ...Clock,
  student_exam_id: z.string(),
  grace_seconds: z.number(),
  exam: z.looseObject({ id: z.string(), title: z.string(), instructions: z.string() }),
  questions: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string(),
      text: z.string(),
      options: z.array(z.looseObject({})),
    }),
  ),
  saved_answers: z.record(z.string(), StoredShape),
});

const SubmittedShape = z.looseObject({
  student_exam_id: z.string(),
  status: z.enum(["submitted", "expired"]),
  submitted_at: z.string(),
  grading: z.enum(["complete", "pending"]),
  rejected: z.array(Rejected),
  receipt: z.object({ answers_digest: z.string(), answer_count: z.number() }),
});

export const apiTransport: Transport = {
  resume: (examId) =>
    ask<Attempt>(
      AttemptShape,
      `/api/v1/student/resume/${encodeURIComponent(examId)}`,
      undefined,
      PATIENCE_MS,
    ),
  save: (attemptId, answers, { leaving = false, hurried = false } = {}) =>
    ask<SavedReply>(
      SavedShape,
      "/api/v1/student/save-answers",
      { student_exam_id: attemptId, answers },
      hurried ? HURRIED_MS : PATIENCE_MS,
      leaving && new Blob([JSON.stringify(answers)]).size < KEEPALIVE_BYTES,
    ),
  submit: (attemptId, answers, { hurried = false } = {}) =>
    ask<Submitted>(
      SubmittedShape,
      "/api/v1/student/submit",
      { student_exam_id: attemptId, answers },
      hurried ? HURRIED_MS : SUBMIT_PATIENCE_MS,
    ),
  async report(attemptId, events) {
    const body = { student_exam_id: attemptId, events };
    const reply = await ask(z.unknown(), "/api/v1/student/events", body, PATIENCE_MS);
    return isProblem(reply) ? reply : null;
  },
};

async function ask<T>(
  shape: z.ZodMiniType,
  url: string,
  body: unknown,
  patience: number,
  keepalive = false,
): Promise<T | ApiProblem> {
  try {
    const request = body === undefined ? { url } : { url, method: "POST", body, keepalive };
    const reply = await send(request, AbortSignal.timeout(patience));
    if ("error" in reply) return reply.error;
    const read = shape.safeParse(reply.data);
    // A captive portal's page, a proxy's apology: not the server's word, so nothing is acknowledged.
    return read.success ? (reply.data as T) : problemOf(502, null);
  } catch {
    return problemOf(502, null);
  }
}

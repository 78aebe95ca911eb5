/** What the API says when something is wrong: RFC 9457 problems, and what a page makes of them. */
import * as z from "zod/mini";

const Problem = z.looseObject({
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  trace_id: z.optional(z.string()),
  errors: z.optional(z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string() }))),
});

/** `status` 0: no answer came (`code` "offline"). `retryAfter` in seconds. */
export type ApiProblem = z.infer<typeof Problem> & { retryAfter?: number };

export function problemOf(status: number, body: unknown, retryAfter?: string | null): ApiProblem {
  const parsed = Problem.safeParse(body);
  const seconds = Number(retryAfter);
  const wait = retryAfter && Number.isFinite(seconds) ? { retryAfter: seconds } : {};
  if (parsed.success) return { ...parsed.data, ...wait };
  return { status, code: status === 0 ? "offline" : "unreadable", detail: "", ...wait };
}

export function isProblem(error: unknown): error is ApiProblem {
  return typeof error === "object" && error !== null && "code" in error && "status" in error;
}

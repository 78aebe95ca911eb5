/** A server that is none: it keeps answers in memory by the rules of the real one, and sends nothing anywhere. */
import type { Attempt, Submitted } from "@/api/student.gen";
import type { Outgoing } from "../entry";
import type { Stored } from "../reconcile";
import type { Ack, SavedReply, Transport } from "../transport";

export function practiceTransport(attempt: Attempt, now: () => number): Transport {
  const stored = new Map<string, Stored>();
  const moment = () => new Date(now()).toISOString();

  function ack(): Ack {
    const left = (Date.parse(attempt.deadline) - now()) / 1000;
    const { deadline, deadline_version } = attempt;
    return { deadline, deadline_version, server_time: moment(), time_remaining_seconds: Math.max(0, left) };
  }

  function keep({ question_id, answer, revision }: Outgoing): SavedReply["saved"][number] {
    stored.set(question_id, { answer, revision, saved_at: moment() });
    return { question_id, outcome: "stored", revision, saved_at: moment() };
  }

  return {
    resume: async () => ({ ...attempt, ...ack(), saved_answers: Object.fromEntries(stored) }),
    async save(_, answers) {
      if (ack().time_remaining_seconds > 0) return { ...ack(), saved: answers.map(keep), rejected: [] };
      return { status: 400, code: "time_limit_exceeded", detail: "" };
    },
    async submit(id, answers) {
      answers.forEach(keep);
      return { ...UNGRADED, ...(await received(stored)), student_exam_id: id, submitted_at: moment() };
    },
    report: async () => null,
  };
}

const UNGRADED = {
  success: true,
  status: "submitted",
  total_score: null,
  max_possible: 0,
  percentage: null,
  graded_count: 0,
  pending_count: 0,
  grading: "complete",
  results: [],
  rejected: [],
} satisfies Partial<Submitted>;

async function received(stored: Map<string, Stored>): Promise<Pick<Submitted, "receipt">> {
  const given = [...stored].filter(([, { answer }]) => answer !== null);
  const text = JSON.stringify(Object.fromEntries(given.map(([id, { answer }]) => [id, answer])));
  return { receipt: { answer_count: given.length, answers_digest: await digest(text) } };
}

/** Outside of HTTPS and localhost browsers give no digests. */
async function digest(text: string): Promise<string> {
  if (!crypto.subtle) return "–";
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

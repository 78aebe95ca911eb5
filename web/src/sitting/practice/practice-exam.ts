/** A small exam with each type of question, in the person's language. */
import type { Attempt, AttemptQuestion } from "@/api/student.gen";

export const PRACTICE_MINUTES = 10;

type Said = (key: string) => string;

const QUESTIONS: { type: AttemptQuestion["type"]; options: string[] }[] = [
  { type: "single_choice", options: ["a", "b", "c"] },
  { type: "multi_choice", options: ["a", "b", "c", "d"] },
  { type: "true_false", options: [] },
  { type: "numeric", options: [] },
  { type: "short_text", options: [] },
  { type: "text", options: [] },
  { type: "image", options: [] },
];

export function practiceAttempt(say: Said, attempt: string, now: number): Attempt {
  const questions = QUESTIONS.map(({ type, options }, place) => question(say, type, options, place + 1));
  return {
    student_exam_id: attempt,
    attempt_no: 1,
    exam: {
      id: "practice",
      title: say("title"),
      instructions: say("instructions"),
      duration_minutes: PRACTICE_MINUTES,
      question_count: questions.length,
      max_possible: questions.length,
    },
    questions,
    started_at: new Date(now).toISOString(),
    deadline: new Date(now + PRACTICE_MINUTES * 60_000).toISOString(),
    deadline_version: 1,
    deadline_reason: "start",
    grace_seconds: 30,
    server_time: new Date(now).toISOString(),
    time_remaining_seconds: PRACTICE_MINUTES * 60,
    saved_answers: {},
  };
}

function question(
  say: Said,
  type: AttemptQuestion["type"],
  options: string[],
  order: number,
): AttemptQuestion {
  return {
    id: `practice-${type}`,
    type,
    text: say(`${type}.text`),
    options: options.map((name) => ({ id: name.toUpperCase(), text: say(`${type}.${name}`) })),
    points: 1,
    order,
    media: [],
  };
}

/** An exam as its form holds it: texts as typed, times as fields show them; and the way to the API and back. */
import type { Exam, ExamPatch, ExamQuestionIn, RosterIn } from "@/api/staff.gen";
import { isoOf, localOf } from "../localTime";

/** `points` as typed; "": the question's own. */
export interface Chosen {
  id: string;
  points: string;
}

export interface Draft {
  title: string;
  description: string;
  instructions: string;
  duration_minutes: string;
  start_time: string;
  end_time: string;
  grace_seconds: string;
  max_attempts: string;
  access_code: string;
  shuffle_questions: boolean;
  shuffle_options: boolean;
  multi_choice: Exam["scoring"]["multi_choice"];
  /** In percent of the points. */
  wrong_penalty: string;
  result_policy: Exam["result_policy"];
  reveal: Exam["reveal"];
  questions: Chosen[];
  everyone: boolean;
  groups: string[];
  student_ids: string[];
}

export type Name = keyof Draft;

/** What a published exam still takes. */
export const EDITABLE_WHEN_PUBLISHED: ReadonlySet<Name> = new Set<Name>([
  "title",
  "description",
  "instructions",
  "start_time",
  "end_time",
  "result_policy",
  "reveal",
  "access_code",
  "everyone",
  "groups",
  "student_ids",
]);

export const MOST = { duration_minutes: 1440, grace_seconds: 300, max_attempts: 100, points: 1000 } as const;

export function draftOf(exam: Exam): Draft {
  return {
    title: exam.title,
    description: exam.description,
    instructions: exam.instructions,
    duration_minutes: String(exam.duration_minutes),
    start_time: localOf(exam.start_time),
    end_time: localOf(exam.end_time),
    grace_seconds: String(exam.grace_seconds),
    max_attempts: String(exam.max_attempts),
    access_code: exam.access_code ?? "",
    shuffle_questions: exam.shuffle_questions,
    shuffle_options: exam.shuffle_options,
    multi_choice: exam.scoring.multi_choice,
    wrong_penalty: String(Math.round(exam.scoring.wrong_penalty * 10_000) / 100),
    result_policy: exam.result_policy,
    reveal: exam.reveal,
    questions: exam.questions.map(({ question_id, points }) => ({
      id: question_id,
      points: points === null ? "" : String(points),
    })),
    everyone: exam.roster.all,
    groups: exam.roster.groups,
    student_ids: exam.roster.student_ids,
  };
}

/** As the API takes them. Only of a draft without faults. */
const SETTINGS = {
  title: ({ title }: Draft) => ({ title }),
  description: ({ description }: Draft) => ({ description }),
  instructions: ({ instructions }: Draft) => ({ instructions }),
  duration_minutes: (draft: Draft) => ({ duration_minutes: Number(draft.duration_minutes) }),
  start_time: (draft: Draft) => ({ start_time: isoOf(draft.start_time) }),
  end_time: (draft: Draft) => ({ end_time: isoOf(draft.end_time) }),
  grace_seconds: (draft: Draft) => ({ grace_seconds: Number(draft.grace_seconds) }),
  max_attempts: (draft: Draft) => ({ max_attempts: Number(draft.max_attempts) }),
  access_code: (draft: Draft) => ({ access_code: draft.access_code || null }),
  shuffle_questions: ({ shuffle_questions }: Draft) => ({ shuffle_questions }),
  shuffle_options: ({ shuffle_options }: Draft) => ({ shuffle_options }),
  result_policy: ({ result_policy }: Draft) => ({ result_policy }),
  reveal: ({ reveal }: Draft) => ({ reveal }),
} satisfies Partial<Record<Name, (draft: Draft) => ExamPatch>>;

const SCORING: Name[] = ["multi_choice", "wrong_penalty"];
export const ROSTER: Name[] = ["everyone", "groups", "student_ids"];

export function same(one: Draft, other: Draft, names: Name[]): boolean {
  return names.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));
}

export function isDirty(draft: Draft, saved: Draft): boolean {
  return !same(draft, saved, Object.keys(draft) as Name[]);
}

/** The settings that differ from what is saved; null where none does. */
export function changesOf(draft: Draft, saved: Draft): ExamPatch | null {
  const patch: ExamPatch = {};
  for (const [name, written] of Object.entries(SETTINGS)) {
    if (!same(draft, saved, [name as Name])) Object.assign(patch, written(draft));
  }
  if (!same(draft, saved, SCORING)) {
    const share = Math.round(Number(draft.wrong_penalty) * 100) / 10_000;
    patch.scoring = { multi_choice: draft.multi_choice, wrong_penalty: share };
  }
  return Object.keys(patch).length ? patch : null;
}

export function questionsOf(draft: Draft): ExamQuestionIn[] {
  return draft.questions.map(({ id, points }) => ({
    question_id: id,
    points: points.trim() === "" ? null : Number(points),
  }));
}

export function rosterOf(draft: Draft): RosterIn {
  return draft.everyone ? { all: true } : { student_ids: draft.student_ids, groups: draft.groups };
}

/** After a save: what was sent is what the server has; what was typed since then stays. */
export function rebased(draft: Draft, sent: Draft, stored: Draft): Draft {
  const kept = (Object.keys(draft) as Name[]).filter((name) => !same(draft, sent, [name]));
  return { ...stored, ...Object.fromEntries(kept.map((name) => [name, draft[name]])) };
}

"use client";
/** The form of an exam: what is typed, what is saved, and the way from one to the other. */
import { useCallback, useState } from "react";
import type { Exam } from "@/api/staff.gen";
import { useSetExamQuestionsMutation, useSetRosterMutation, useUpdateExamMutation } from "@/api/staff-exams";
import {
  changesOf,
  type Draft,
  draftOf,
  isDirty,
  questionsOf,
  ROSTER,
  rebased,
  rosterOf,
  same,
} from "./draft";
import { type Faults, faultsOf } from "./faults";

export interface ExamForm {
  draft: Draft;
  set: (changes: Partial<Draft>) => void;
  faults: Faults;
  dirty: boolean;
  saving: boolean;
  savedAt: Date | null;
  /** What the last save failed for. */
  problem: unknown;
  /** Whether all is saved now. */
  save: () => Promise<boolean>;
}

export function useExamForm(exam: Exam): ExamForm {
  const [draft, setDraft] = useState(() => draftOf(exam));
  const [saved, setSaved] = useState(draft);
  const [saving, setSaving] = useState(false);
  const [savedAt, setSavedAt] = useState<Date | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const send = useSend(exam.id);
  const set = useCallback((changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes })), []);
  const faults = faultsOf(draft);

  async function save(): Promise<boolean> {
    if (saving || Object.keys(faults).length) return false;
    setSaving(true);
    setProblem(null);
    try {
      const stored = await send(draft, saved);
      if (stored) {
        const now = draftOf(stored);
        setSaved(now);
        setDraft((typed) => rebased(typed, draft, now));
      }
      setSavedAt(new Date());
      return true;
    } catch (error) {
      setProblem(error);
      return false;
    } finally {
      setSaving(false);
    }
  }

  return { draft, set, faults, dirty: isDirty(draft, saved), saving, savedAt, problem, save };
}

/** Sends what differs; the exam as it is then, or null where nothing does. What fails is thrown: sent again
 * after it was mended, all parts are the same as if they had been sent once. */
function useSend(examId: string) {
  const [update] = useUpdateExamMutation();
  const [setQuestions] = useSetExamQuestionsMutation();
  const [setRoster] = useSetRosterMutation();
  return async (draft: Draft, saved: Draft): Promise<Exam | null> => {
    let stored: Exam | null = null;
    const changes = changesOf(draft, saved);
    if (changes) stored = await update({ examId, examPatch: changes }).unwrap();
    if (!same(draft, saved, ["questions"])) {
      stored = await setQuestions({
        examId,
        examQuestionsIn: { questions: questionsOf(draft) },
      }).unwrap();
    }
    if (!same(draft, saved, ROSTER)) {
      stored = await setRoster({ examId, rosterIn: rosterOf(draft) }).unwrap();
    }
    return stored;
  };
}

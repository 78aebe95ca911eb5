"use client";
/** The state of the editor: the draft, what is wrong with it, and saving. */
import { useState } from "react";
import { isProblem } from "@/api/problem";
import type { Question } from "@/api/staff.gen";
import {
  useCreateQuestionMutation,
  useEditQuestionMutation,
  useLazyGetQuestionQuery,
} from "@/api/staff-content";
import { bodyOf, type Draft } from "./draft";
import { type Faults, faultsOf, serverFaults } from "./faults";
import { useDraft } from "./useDraft";

export type Outcome = "saved" | "created" | "faults" | "stale" | "failed";

export function useEditor(opened: Question | null, start: Draft | undefined) {
  const state = useDraft(opened, start);
  const { base, draft } = state;
  const [faults, setFaults] = useState<Faults>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [theirs, setTheirs] = useState<Question | null>(null);
  const { put, busy } = usePut();
  const [current] = useLazyGetQuestionQuery();

  function settle(wrong: Faults, why: unknown = null) {
    setFaults(wrong);
    setProblem(why);
    setTheirs(null);
  }
  async function failed(error: unknown): Promise<Outcome> {
    if (base && isProblem(error) && error.code === "stale_version") {
      const found = await current({ questionId: base.id });
      if (found.data) setTheirs(found.data);
      else setProblem(found.error);
      return "stale";
    }
    const found = isProblem(error) ? serverFaults(error) : {};
    settle(found, error);
    return Object.keys(found).length ? "faults" : "failed";
  }
  /** `over`: the version that this one is to follow; else the one that was opened. */
  async function save(over?: number): Promise<{ outcome: Outcome; id?: string }> {
    if (busy) return { outcome: "failed" };
    const found = faultsOf(draft);
    settle(found);
    if (Object.keys(found).length) return { outcome: "faults" };
    const { data, error } = await put(base, over, draft);
    if (!data) return { outcome: await failed(error) };
    state.saved(data, draft);
    return { outcome: base ? "saved" : "created", id: data.id };
  }
  function takeTheirs(question: Question) {
    settle({});
    state.adopt(question);
  }
  const closeTheirs = () => setTheirs(null);
  return { ...state, faults, problem, theirs, busy, save, takeTheirs, closeTheirs };
}

/** Sends a draft: a new question, or the version after `over`. */
function usePut() {
  const [create, creating] = useCreateQuestionMutation();
  const [edit, editing] = useEditQuestionMutation();
  async function put(base: Question | null, over: number | undefined, draft: Draft) {
    const body = bodyOf(draft);
    if (!base) return create({ body });
    return edit({ questionId: base.id, body: { ...body, version: over ?? base.version } });
  }
  return { put, busy: creating.isLoading || editing.isLoading };
}

export type EditorState = ReturnType<typeof useEditor>;

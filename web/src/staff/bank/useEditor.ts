"use client";
/** The state of the editor: the draft, what it was made of, what is wrong with it, and saving. */
import { useEffect, useRef, useState } from "react";
import { isProblem } from "@/api/problem";
import type { Question } from "@/api/staff.gen";
import {
  useCreateQuestionMutation,
  useEditQuestionMutation,
  useLazyGetQuestionQuery,
} from "@/api/staff-content";
import { onSession } from "@/session/token";
import { bodyOf, type Draft, draftOf, emptyDraft, sameDraft } from "./draft";
import { type Faults, faultsOf, serverFaults } from "./faults";

const NEW = "new";

export type Outcome = "saved" | "created" | "faults" | "stale" | "failed";

interface Begun {
  base: Question | null;
  clean: Draft;
  draft: Draft;
}

/** Drafts that were left without saving, by question: they are here again when one comes back. */
const left = new Map<string, Begun>();

onSession((session) => {
  if (!session) left.clear();
});

export function useEditor(opened: Question | null, start: Draft | undefined) {
  const [begun] = useState(() => left.get(opened?.id ?? NEW));
  const [base, setBase] = useState(begun?.base ?? opened);
  const [clean, setClean] = useState(
    () => begun?.clean ?? (opened ? draftOf(opened) : (start ?? emptyDraft())),
  );
  const [draft, setDraft] = useState(begun?.draft ?? clean);
  const [faults, setFaults] = useState<Faults>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [theirs, setTheirs] = useState<Question | null>(null);
  const [create, creating] = useCreateQuestionMutation();
  const [edit, editing] = useEditQuestionMutation();
  const [current] = useLazyGetQuestionQuery();
  const saving = useRef(false);

  const dirty = !sameDraft(draft, clean);
  useLeft(base?.id ?? NEW, dirty ? { base, clean, draft } : null);

  function adopt(question: Question, next = draftOf(question)) {
    setBase(question);
    setClean(next);
    setDraft(next);
    setFaults({});
    setProblem(null);
    setTheirs(null);
  }

  async function failed(error: unknown, questionId: string | undefined): Promise<Outcome> {
    if (isProblem(error) && error.code === "stale_version" && questionId) {
      const found = await current({ questionId });
      if (found.data) setTheirs(found.data);
      else setProblem(found.error);
      return "stale";
    }
    const found = isProblem(error) ? serverFaults(error) : {};
    setFaults(found);
    setProblem(error);
    return Object.keys(found).length ? "faults" : "failed";
  }

  /** `over`: the version that this one is to follow; else the one that was opened. */
  async function save(over?: number): Promise<{ outcome: Outcome; id?: string }> {
    if (saving.current) return { outcome: "failed" };
    const found = faultsOf(draft);
    setFaults(found);
    setProblem(null);
    if (Object.keys(found).length) return { outcome: "faults" };
    saving.current = true;
    const body = bodyOf(draft);
    const answer = base
      ? await edit({ questionId: base.id, body: { ...body, version: over ?? base.version } })
      : await create({ body });
    saving.current = false;
    if (!answer.data) return { outcome: await failed(answer.error, base?.id) };
    // What was typed meanwhile stays, and is not saved yet.
    setBase(answer.data);
    setClean(draft);
    setTheirs(null);
    return { outcome: base ? "saved" : "created", id: answer.data.id };
  }

  return {
    base,
    draft,
    faults,
    problem,
    theirs,
    dirty,
    restored: begun !== undefined,
    discard: () => setDraft(clean),
    busy: creating.isLoading || editing.isLoading,
    change: (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part })),
    replace: setDraft,
    save,
    takeTheirs: adopt,
    closeTheirs: () => setTheirs(null),
  };
}

/** Keeps what is not saved when the editor goes. */
function useLeft(key: string, begun: Begun | null): void {
  const latest = useRef({ key, begun });
  useEffect(() => {
    latest.current = { key, begun };
  });
  useEffect(() => {
    left.delete(latest.current.key);
    return () => {
      const { key, begun } = latest.current;
      if (begun) left.set(key, begun);
    };
  }, []);
}

export type EditorState = ReturnType<typeof useEditor>;

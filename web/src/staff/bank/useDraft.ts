"use client";
/** A draft and the question that it was made of. What is not saved when one leaves is there again afterwards. */
import { useEffect, useRef, useState } from "react";
import type { Question } from "@/api/staff.gen";
import { onSession } from "@/session/token";
import { type Draft, draftOf, emptyDraft, sameDraft } from "./draft";

interface Begun {
  base: Question | null;
  /** What is saved. */
  clean: Draft;
  draft: Draft;
}

const NEW = "new";

/** Drafts that were left without saving, by question. */
const left = new Map<string, Begun>();

onSession((session) => {
  if (!session) left.clear();
});

export function useDraft(opened: Question | null, start: Draft | undefined) {
  const [begun] = useState(() => left.get(opened?.id ?? NEW));
  const [base, setBase] = useState(begun?.base ?? opened);
  const [clean, setClean] = useState(
    () => begun?.clean ?? (opened ? draftOf(opened) : (start ?? emptyDraft())),
  );
  const [draft, replace] = useState(begun?.draft ?? clean);
  const dirty = !sameDraft(draft, clean);
  useLeft(base?.id ?? NEW, dirty ? { base, clean, draft } : null);

  /** What was typed since it was sent stays, and is not saved yet. */
  function saved(question: Question, sent: Draft) {
    setBase(question);
    setClean(sent);
  }
  function adopt(question: Question) {
    const next = draftOf(question);
    saved(question, next);
    replace(next);
  }
  const change = (part: Partial<Draft>) => replace((before) => ({ ...before, ...part }));
  const discard = () => replace(clean);
  return { base, draft, dirty, restored: begun !== undefined, change, replace, discard, saved, adopt };
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

"use client";
/** The questions of these ids, a few at a time: the API gives an exam's questions as ids. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useDispatch } from "react-redux";
import { type Question, staffApi } from "@/api/staff.gen";
import type { AppDispatch } from "@/store";

const AT_ONCE = 6;

export interface Questions {
  known: ReadonlyMap<string, Question>;
  /** What kept some from coming; null while all is well. */
  problem: unknown;
  retry: () => void;
  /** Questions that came another way. */
  learn: (questions: readonly Question[]) => void;
}

export function useQuestions(ids: readonly string[]): Questions {
  const dispatch = useDispatch<AppDispatch>();
  const [known, setKnown] = useState<ReadonlyMap<string, Question>>(new Map());
  const [problem, setProblem] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const asked = useRef(new Set<string>());
  const learn = useCallback((questions: readonly Question[]) => {
    for (const { id } of questions) asked.current.add(id);
    setKnown((before) => new Map([...before, ...questions.map((one) => [one.id, one] as const)]));
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks again for what failed
  useEffect(() => {
    const missing = ids.filter((id) => !asked.current.has(id));
    for (const id of missing) asked.current.add(id);
    const load = async (id: string) => {
      const request = dispatch(staffApi.endpoints.getQuestion.initiate({ questionId: id }));
      const { data, error } = await request;
      request.unsubscribe();
      if (data) return data;
      asked.current.delete(id);
      setProblem(error);
      return null;
    };
    const loadAll = async () => {
      for (let place = 0; place < missing.length; place += AT_ONCE) {
        const found = await Promise.all(missing.slice(place, place + AT_ONCE).map(load));
        learn(found.filter((one) => one !== null));
      }
    };
    loadAll();
  }, [ids, dispatch, learn, round]);
  const retry = useCallback(() => {
    setProblem(null);
    setRound((before) => before + 1);
  }, []);
  return { known, problem, retry, learn };
}

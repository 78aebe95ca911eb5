"use client";
/** Filters of a list, which live in the address. */
import { useEffect, useRef, useState } from "react";
import { useQueryState, useSettled } from "./queryState";

export function useFilters<Name extends string>(names: readonly Name[]) {
  const [query, set] = useQueryState();
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""])) as Record<
    Name,
    string
  >;
  return { values, set: set as (changes: Partial<Record<Name, string>>) => void };
}

/** What is typed into a field of `value`, told once typing pauses. */
export function useTyped(value: string, tell: (value: string) => void) {
  const [typed, setTyped] = useState(value);
  const settled = useSettled(typed);
  const told = useRef(value);
  const latest = useRef(tell);
  useEffect(() => {
    latest.current = tell;
  });
  useEffect(() => {
    if (settled === told.current) return;
    told.current = settled;
    latest.current(settled);
  }, [settled]);
  useEffect(() => {
    // Changed by something else: another link, or all filters cleared.
    if (value === told.current) return;
    told.current = value;
    setTyped(value);
  }, [value]);
  return [typed, setTyped] as const;
}

"use client";
/** What a page shows, kept in its address, so that a reload, a link and going back show the same. */
import { useSearchParams } from "next/navigation";
import { useCallback, useEffect, useState } from "react";

type Changes = Record<string, string | null>;

/** The query, and a way to change it in place; null and "" take a name out. */
export function useQueryState() {
  const params = useSearchParams();
  const change = useCallback((changes: Changes) => {
    const next = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const address = next.size ? `${window.location.pathname}?${next}` : window.location.pathname;
    window.history.replaceState(null, "", address);
  }, []);
  return [params, change] as const;
}

const QUIET_MS = 300;

/** The value once it has stopped changing. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), QUIET_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

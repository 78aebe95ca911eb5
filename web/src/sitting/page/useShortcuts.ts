"use client";
/** Single keys, by their place on the keyboard; never while somebody types, and only where they are wanted. */
import { useEffect, useRef, useSyncExternalStore } from "react";

export type Action = "next" | "previous" | "flag" | "layout" | "review" | "help";
type Actions = Record<Action, () => void>;

const KEYS: Record<string, Action> = {
  KeyN: "next",
  KeyP: "previous",
  KeyF: "flag",
  KeyA: "layout",
  KeyR: "review",
};

const KEPT_AS = "examhall-shortcuts";
const TYPED_INTO =
  "input:not([type=radio],[type=checkbox],[type=button],[type=file]),textarea,select,[contenteditable]";

let wanted: boolean | null = null;
const listeners = new Set<() => void>();

function areWanted(): boolean {
  if (wanted === null) {
    try {
      wanted = localStorage.getItem(KEPT_AS) !== "off";
    } catch {
      wanted = true;
    }
  }
  return wanted;
}

export function useShortcutsWanted(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, areWanted, () => true);
  return [on, want];
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function want(on: boolean): void {
  wanted = on;
  try {
    localStorage.setItem(KEPT_AS, on ? "on" : "off");
  } catch {
    // Storage is refused: the choice holds for this page.
  }
  for (const listener of listeners) listener();
}

export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const stop = new AbortController();
    document.addEventListener("keydown", (event) => pressed(event, latest.current), { signal: stop.signal });
    return () => stop.abort();
  }, []);
}

function pressed(event: KeyboardEvent, actions: Actions): void {
  const target = event.target instanceof Element ? event.target : null;
  const inDialog = document.querySelector("dialog[open]") !== null;
  const typing = target?.closest(TYPED_INTO) !== null && target !== null;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !inDialog) {
    event.preventDefault();
    actions.next();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing || inDialog || event.isComposing) return;
  if (!areWanted()) return;
  const name = event.key === "?" ? "help" : event.shiftKey ? undefined : KEYS[event.code];
  if (!name) return;
  event.preventDefault();
  actions[name]();
}

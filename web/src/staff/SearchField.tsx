"use client";
/** A field to search with: what is typed goes to the address once typing pauses. */
import type { ReactNode } from "react";
import { TextField } from "@/ui";
import { useFilters, useTyped } from "./useFilters";

export function SearchField({ name, label }: { name: string; label: ReactNode }) {
  const { values, set } = useFilters([name]);
  const [typed, setTyped] = useTyped(values[name] ?? "", (value) => set({ [name]: value }));
  return (
    <TextField label={label} type="search" value={typed} onChange={(event) => setTyped(event.target.value)} />
  );
}

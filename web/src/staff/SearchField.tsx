"use client";
/** A field to search with: what is typed goes to the address once typing pauses. */
import { type ReactNode, useEffect, useState } from "react";
import { TextField } from "@/ui";
import { useQueryState, useSettled } from "./queryState";

export function SearchField({ name, label, hint }: { name: string; label: ReactNode; hint?: ReactNode }) {
  const [params, change] = useQueryState();
  const [text, setText] = useState(params.get(name) ?? "");
  const settled = useSettled(text.trim());
  useEffect(() => change({ [name]: settled }), [change, name, settled]);
  return (
    <TextField
      label={label}
      hint={hint}
      type="search"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

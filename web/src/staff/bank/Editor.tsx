"use client";
/** A question's form, and beside it the question as a student will see it. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import { useUnsaved } from "@/staff/useUnsaved";
import { Note, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { Basics } from "./Basics";
import styles from "./bank.module.css";
import { Details } from "./Details";
import type { Draft } from "./draft";
import { EditorHead } from "./EditorHead";
import { KeyFields } from "./KeyFields";
import { MediaFields } from "./MediaFields";
import { Preview } from "./Preview";
import { SaveBar } from "./SaveBar";
import { StaleDialog } from "./StaleDialog";
import { type Outcome, useEditor } from "./useEditor";

interface Props {
  question: Question | null;
  start?: Draft;
  onCreated?: (id: string) => void;
  /** A new question, like this one in what questions have in common. */
  onAnother: (like: Draft) => void;
}

export function Editor({ question, start, onCreated, onAnother }: Props) {
  const t = useTranslations("bank");
  const editor = useEditor(question, start);
  const form = useRef<HTMLFormElement>(null);
  const [outcome, setOutcome] = useState<{ what: Outcome } | null>(null);
  useUnsaved(editor.dirty, t("unsavedLeave"));
  useEffect(() => {
    if (outcome?.what !== "faults") return;
    form.current?.querySelector<HTMLElement>("[aria-invalid='true'], [data-invalid='true'] input")?.focus();
  }, [outcome]);

  async function save(over?: number) {
    const { outcome: what, id } = await editor.save(over);
    setOutcome({ what });
    if (what === "created" && id) onCreated?.(id);
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    save();
  }

  return (
    <Stack>
      <EditorHead editor={editor} />
      <div className={styles.editor}>
        <form ref={form} className={styles.form} onSubmit={submit} noValidate>
          <Basics editor={editor} />
          <KeyFields editor={editor} />
          <MediaFields editor={editor} />
          <Details editor={editor} />
          {editor.problem ? <Problem error={editor.problem} /> : null}
          {outcome?.what === "faults" ? (
            <Note tone="bad" live>
              {t("faultsAbove")}
            </Note>
          ) : null}
          <SaveBar editor={editor} outcome={outcome?.what ?? null} onAnother={onAnother} />
        </form>
        <Preview draft={editor.draft} />
      </div>
      <StaleDialog editor={editor} onKeepMine={save} />
    </Stack>
  );
}

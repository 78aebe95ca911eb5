"use client";
/** A question's form, and beside it the question as a student will see it. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import { useUnsaved } from "@/staff/useUnsaved";
import { Badge, Button, Hint, Note, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { ArchiveButton } from "./ArchiveButton";
import { Basics } from "./Basics";
import styles from "./bank.module.css";
import { Details } from "./Details";
import type { Draft } from "./draft";
import { KeyFields } from "./KeyFields";
import { MediaFields } from "./MediaFields";
import { Preview } from "./Preview";
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
  const { base, draft, dirty } = editor;
  const form = useRef<HTMLFormElement>(null);
  const [outcome, setOutcome] = useState<{ what: Outcome } | null>(null);
  useUnsaved(dirty, t("unsavedLeave"));
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
      <Row>
        <PageTitle>{base ? t("editTitle") : t("newTitle")}</PageTitle>
        {base ? <Badge>{t("versionNumber", { version: base.version })}</Badge> : null}
        {dirty ? <Badge tone="warn">{t("unsaved")}</Badge> : null}
      </Row>
      {editor.restored && dirty ? (
        <Note tone="warn">
          <p>{t("restored")}</p>
          <div>
            <Button small onClick={editor.discard}>
              {t("discard")}
            </Button>
          </div>
        </Note>
      ) : null}
      {base?.archived ? <Note tone="warn">{t("archived")}</Note> : null}
      {base && !base.archived ? <Hint>{t("versionsHint")}</Hint> : null}
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
          <div className={styles.bar}>
            <Button look="primary" type="submit" busy={editor.busy || base?.archived === true}>
              {editor.busy ? t("saving") : base ? t("saveVersion") : t("create")}
            </Button>
            <span role="status">{outcome && isSaved(outcome.what) && !dirty ? t("saved") : null}</span>
            {base && !dirty ? <Button onClick={() => onAnother(draft)}>{t("another")}</Button> : null}
            {base && !base.archived ? <ArchiveButton questionId={base.id} /> : null}
          </div>
        </form>
        <Preview draft={draft} />
      </div>
      <StaleDialog editor={editor} onKeepMine={save} />
    </Stack>
  );
}

function isSaved(what: Outcome): boolean {
  return what === "saved" || what === "created";
}

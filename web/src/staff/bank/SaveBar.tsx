"use client";
import { useTranslations } from "use-intl";
import { Button } from "@/ui";
import { ArchiveButton } from "./ArchiveButton";
import styles from "./bank.module.css";
import type { Draft } from "./draft";
import type { EditorState, Outcome } from "./useEditor";

interface Props {
  editor: EditorState;
  outcome: Outcome | null;
  onAnother: (like: Draft) => void;
}

export function SaveBar({ editor, outcome, onAnother }: Props) {
  const t = useTranslations("bank");
  const { base, draft, dirty, busy } = editor;
  const saved = (outcome === "saved" || outcome === "created") && !dirty;
  return (
    <div className={styles.bar}>
      <Button look="primary" type="submit" busy={busy || base?.archived === true}>
        {busy ? t("saving") : base ? t("saveVersion") : t("create")}
      </Button>
      <span role="status">{saved ? t("saved") : null}</span>
      {base && !dirty ? <Button onClick={() => onAnother(draft)}>{t("another")}</Button> : null}
      {base && !base.archived ? <ArchiveButton questionId={base.id} /> : null}
    </div>
  );
}

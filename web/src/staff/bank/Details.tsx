"use client";
/** Points, where a question is found, and the explanation. */
import { useTranslations } from "use-intl";
import { TextArea, TextField } from "@/ui";
import { TokenField } from "@/ui/TokenField";
import styles from "./bank.module.css";
import type { EditorState } from "./useEditor";
import { useFault } from "./useFault";

export function Details({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { draft, change } = editor;
  const fault = useFault(editor.faults);
  return (
    <>
      <TextArea
        label={t("explanation")}
        hint={t("explanationHint")}
        error={fault("explanation")}
        dir="auto"
        maxLength={20_000}
        value={draft.explanation}
        onChange={({ target }) => change({ explanation: target.value })}
      />
      <div className={styles.pair}>
        <TextField
          label={t("points")}
          error={fault("points")}
          inputMode="decimal"
          dir="ltr"
          autoComplete="off"
          value={draft.points}
          onChange={({ target }) => change({ points: target.value })}
        />
        <TextField
          label={t("category")}
          error={fault("category")}
          dir="auto"
          maxLength={200}
          value={draft.category}
          onChange={({ target }) => change({ category: target.value })}
        />
      </div>
      <TokenField
        label={t("tags")}
        hint={t("tagsHint")}
        error={fault("tags")}
        values={draft.tags}
        onChange={(tags) => change({ tags })}
      />
      <TextField
        label={t("externalId")}
        hint={t("externalIdHint")}
        error={fault("external_id")}
        dir="ltr"
        maxLength={200}
        value={draft.externalId}
        onChange={({ target }) => change({ externalId: target.value })}
      />
    </>
  );
}

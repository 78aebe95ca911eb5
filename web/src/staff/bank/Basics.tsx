"use client";
import { useTranslations } from "use-intl";
import { Select, TextArea } from "@/ui";
import { withType } from "./draft";
import { TYPES } from "./types";
import type { EditorState } from "./useEditor";
import { useFault } from "./useFault";

export function Basics({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { draft, change, replace } = editor;
  const fault = useFault(editor.faults);
  return (
    <>
      <Select
        label={t("type")}
        hint={t(`typeHints.${draft.type}`)}
        value={draft.type}
        onChange={({ target }) =>
          replace(withType(draft, TYPES.find((one) => one === target.value) ?? draft.type))
        }
      >
        {TYPES.map((one) => (
          <option key={one} value={one}>
            {t(`types.${one}`)}
          </option>
        ))}
      </Select>
      <TextArea
        label={t("question")}
        hint={t("textHint")}
        error={fault("text")}
        dir="auto"
        maxLength={20_000}
        value={draft.text}
        onChange={({ target }) => change({ text: target.value })}
      />
    </>
  );
}

"use client";
/** What is right: by the type of the question. */
import { useFormatter, useTranslations } from "use-intl";
import { Hint, Note, TextArea, TextField } from "@/ui";
import { Checkbox, Choices } from "@/ui/Choices";
import styles from "./bank.module.css";
import { decimal } from "./numbers";
import { OptionFields } from "./OptionFields";
import type { EditorState } from "./useEditor";
import { useFault } from "./useFault";

export function KeyFields({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  switch (editor.draft.type) {
    case "single_choice":
    case "multi_choice":
      return <OptionFields editor={editor} />;
    case "true_false":
      return <TruthFields editor={editor} />;
    case "numeric":
      return <NumericFields editor={editor} />;
    case "short_text":
      return <AcceptedFields editor={editor} />;
    default:
      return <Note>{t("markedByHand")}</Note>;
  }
}

function TruthFields({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const fault = useFault(editor.faults)("key.correct");
  const { isTrue } = editor.draft;
  return (
    <div data-invalid={Boolean(fault)}>
      <Choices
        legend={t("truth")}
        value={isTrue === null ? null : isTrue ? "true" : "false"}
        onChange={(value) => editor.change({ isTrue: value === "true" })}
        options={[
          { value: "true", label: t("true") },
          { value: "false", label: t("false") },
        ]}
        error={fault}
      />
    </div>
  );
}

function NumericFields({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { draft, change } = editor;
  const fault = useFault(editor.faults);
  const value = decimal(draft.value);
  const tolerance = decimal(draft.tolerance || "0");
  const format = useFormatter();
  // Not 9.800000000000001, which binary numbers make of 9.81 − 0.01.
  const shown = (number: number) => format.number(number, { maximumSignificantDigits: 12 });
  return (
    <fieldset className={styles.group}>
      <legend>{t("answer")}</legend>
      <div className={styles.pair}>
        <TextField
          label={t("value")}
          error={fault("key.value")}
          inputMode="decimal"
          dir="ltr"
          autoComplete="off"
          value={draft.value}
          onChange={(event) => change({ value: event.target.value })}
        />
        <TextField
          label={t("tolerance")}
          error={fault("key.tolerance")}
          inputMode="decimal"
          dir="ltr"
          autoComplete="off"
          value={draft.tolerance}
          onChange={(event) => change({ tolerance: event.target.value })}
        />
      </div>
      {value !== null && tolerance !== null && Number(tolerance) > 0 ? (
        <Hint>
          {t("range", {
            from: shown(Number(value) - Number(tolerance)),
            to: shown(Number(value) + Number(tolerance)),
          })}
        </Hint>
      ) : (
        <Hint>{t("toleranceHint")}</Hint>
      )}
    </fieldset>
  );
}

function AcceptedFields({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { draft, change } = editor;
  const fault = useFault(editor.faults);
  return (
    <>
      <TextArea
        label={t("accepted")}
        hint={t("acceptedHint")}
        error={fault("key.accepted")}
        dir="auto"
        value={draft.accepted}
        onChange={({ target }) => change({ accepted: target.value })}
      />
      <Checkbox
        label={t("caseSensitive")}
        checked={draft.caseSensitive}
        onChange={(caseSensitive) => change({ caseSensitive })}
      />
    </>
  );
}

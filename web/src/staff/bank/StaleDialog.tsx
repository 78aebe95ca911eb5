"use client";
/** Someone else has saved this question meanwhile: both versions side by side, and how to go on. */
import { useTranslations } from "use-intl";
import { Button, Dialog } from "@/ui";
import styles from "./bank.module.css";
import { type Draft, draftOf, letter } from "./draft";
import { hasOptions } from "./types";
import type { EditorState } from "./useEditor";

interface Props {
  editor: EditorState;
  /** Saves mine as the version after theirs. */
  onKeepMine: (over: number) => void;
}

export function StaleDialog({ editor, onKeepMine }: Props) {
  const t = useTranslations("bank");
  const { theirs, draft } = editor;
  const told = useTold();
  const mine = told(draft);
  const other = theirs ? told(draftOf(theirs)) : [];
  const differs = (name: string) =>
    mine.find((one) => one[0] === name)?.[1] !== other.find((one) => one[0] === name)?.[1];
  return (
    <Dialog
      open={theirs !== null}
      onClose={editor.closeTheirs}
      title={t("staleTitle")}
      wide
      actions={
        <>
          <Button onClick={editor.closeTheirs}>{t("goOnEditing")}</Button>
          <Button onClick={() => theirs && editor.takeTheirs(theirs)}>{t("takeTheirs")}</Button>
          <Button look="primary" busy={editor.busy} onClick={() => theirs && onKeepMine(theirs.version)}>
            {t("keepMine")}
          </Button>
        </>
      }
    >
      <p>{t("staleText")}</p>
      <div className={styles.versions}>
        <Version title={t("mine")} lines={mine} differs={differs} />
        <Version
          title={theirs?.archived ? t("theirsArchived") : t("theirs", { version: theirs?.version ?? 0 })}
          lines={other}
          differs={differs}
        />
      </div>
    </Dialog>
  );
}

type Line = readonly [name: string, text: string];

function Version({
  title,
  lines,
  differs,
}: {
  title: string;
  lines: Line[];
  differs: (name: string) => boolean;
}) {
  const t = useTranslations("bank");
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {lines.map(([name, text]) => (
          <div key={name} data-differs={differs(name) || undefined}>
            <dt>
              {name}
              {differs(name) ? ` (${t("differs")})` : null}
            </dt>
            <dd dir="auto">{text || "–"}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** A draft as lines of text. */
function useTold(): (draft: Draft) => Line[] {
  const t = useTranslations("bank");
  return (draft) => [
    [t("type"), t(`types.${draft.type}`)],
    [t("question"), draft.text],
    ...keyLines(draft, t),
    [t("explanation"), draft.explanation],
    [t("points"), draft.points],
    [t("category"), draft.category],
    [t("tags"), draft.tags.join(", ")],
    [t("externalId"), draft.externalId],
    [
      t("media"),
      draft.media.map(({ item }) => (typeof item === "string" ? item : (item.alt ?? ""))).join("\n"),
    ],
  ];
}

function keyLines(draft: Draft, t: ReturnType<typeof useTranslations<"bank">>): Line[] {
  if (hasOptions(draft.type)) {
    const lines = draft.options.map(
      ({ text, correct }, at) => `${correct ? "✓" : "  "} ${letter(at)}. ${text}`,
    );
    return [[t("options"), lines.join("\n")]];
  }
  switch (draft.type) {
    case "true_false":
      return [[t("truth"), draft.isTrue === null ? "" : t(draft.isTrue ? "true" : "false")]];
    case "numeric":
      return [[t("answer"), `${draft.value} ± ${draft.tolerance || 0}`]];
    case "short_text":
      return [[t("accepted"), `${draft.accepted}${draft.caseSensitive ? `\n${t("caseSensitive")}` : ""}`]];
    default:
      return [];
  }
}

"use client";
/** Pictures of a question: sent when they are chosen, each with what it shows in words. */
import { useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { Button, Hint, Note } from "@/ui";
import { Problem } from "@/ui/Problem";
import styles from "./bank.module.css";
import { type DraftMedia, type MediaItem, nextKey } from "./draft";
import { MediaFieldItem } from "./MediaFieldItem";
import { sendPicture } from "./sendPicture";
import type { EditorState } from "./useEditor";
import { useFault } from "./useFault";

const MOST_BYTES = 10 * 1024 * 1024;
const MOST_MEDIA = 20;

export function MediaFields({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { media } = editor.draft;
  const fault = useFault(editor.faults);
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  const latest = useRef(media);
  latest.current = media;
  const set = (next: DraftMedia[]) => editor.change({ media: next });
  const setItem = (key: number, item: MediaItem) =>
    set(media.map((one) => (one.key === key ? { ...one, item } : one)));

  async function add(file: File) {
    setProblem(null);
    if (file.size > MOST_BYTES) return setProblem("tooLarge");
    setBusy(true);
    const sent = await sendPicture(file);
    setBusy(false);
    if (typeof sent !== "string") return setProblem(sent);
    set([...latest.current, { key: nextKey(), item: { file_id: sent, alt: "" } }]);
  }

  return (
    <fieldset className={styles.group}>
      <legend>{t("media")}</legend>
      {media.length ? (
        <ul className={styles.items}>
          {media.map(({ key, item }, place) => (
            <MediaFieldItem
              key={key}
              item={item}
              number={place + 1}
              fault={fault(`media.${place}`) ?? fault(`media.${place}.alt`)}
              onChange={(next) => setItem(key, next)}
              onRemove={() => set(media.filter((one) => one.key !== key))}
            />
          ))}
        </ul>
      ) : null}
      {problem === "tooLarge" ? (
        <Note tone="bad" live>
          {t("pictureTooLarge")}
        </Note>
      ) : problem ? (
        <Problem error={problem} />
      ) : null}
      <input
        ref={input}
        type="file"
        hidden
        accept="image/png,image/jpeg,image/webp,image/gif"
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file) add(file);
          target.value = "";
        }}
      />
      {media.length < MOST_MEDIA ? (
        <div>
          <Button small busy={busy} onClick={() => input.current?.click()}>
            {busy ? t("sendingPicture") : t("addPicture")}
          </Button>
        </div>
      ) : null}
      <Hint>{t("pictureHint")}</Hint>
    </fieldset>
  );
}

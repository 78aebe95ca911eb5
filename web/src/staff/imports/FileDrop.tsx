"use client";
/** A place to drop a file. It is a real file field, so that the keyboard and screen readers have it too. */
import { type DragEvent, useId, useState } from "react";
import { useTranslations } from "use-intl";
import styles from "./imports.module.css";
import { FORMATS } from "./sending";
import { useBytes } from "./useBytes";

interface Props {
  file: File | null;
  onFile: (file: File) => void;
  fault: string | null;
}

export function FileDrop({ file, onFile, fault }: Props) {
  const t = useTranslations("imports");
  const bytes = useBytes();
  const id = useId();
  const [over, setOver] = useState(false);

  function dropped(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    const [first] = event.dataTransfer.files;
    if (first) onFile(first);
  }

  return (
    <div>
      <label
        className={styles.drop}
        data-over={over || undefined}
        data-bad={fault ? true : undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={dropped}
      >
        <input
          type="file"
          className="visually-hidden"
          accept={FORMATS.join(",")}
          aria-describedby={fault ? `${id}-error` : undefined}
          aria-invalid={fault ? true : undefined}
          onChange={({ target }) => {
            const [first] = target.files ?? [];
            if (first) onFile(first);
            // So that the same file, corrected, can be chosen again.
            target.value = "";
          }}
        />
        <strong>{file ? <bdi>{file.name}</bdi> : t("drop")}</strong>
        <span className={styles.soft}>{file ? t("chosen", { size: bytes(file.size) }) : t("dropHint")}</span>
      </label>
      {fault ? (
        <p id={`${id}-error`} className={styles.bad} role="alert">
          {fault}
        </p>
      ) : null}
    </div>
  );
}

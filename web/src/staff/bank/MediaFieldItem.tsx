"use client";
import { useTranslations } from "use-intl";
import { Picture } from "@/text/Picture";
import { Button, TextField } from "@/ui";
import styles from "./bank.module.css";
import type { MediaItem } from "./draft";

interface Props {
  item: MediaItem;
  number: number;
  fault: string | undefined;
  onChange: (item: MediaItem) => void;
  onRemove: () => void;
}

export function MediaFieldItem({ item, number, fault, onChange, onRemove }: Props) {
  const t = useTranslations("bank");
  const known = typeof item === "string" ? { url: item } : item;
  return (
    <li className={styles.item}>
      <div className={styles.thumbnail}>
        {known.file_id ? <Picture fileId={known.file_id} alt={known.alt ?? ""} /> : <code>{known.url}</code>}
      </div>
      <TextField
        label={t("alt", { number })}
        hint={t("altHint")}
        error={fault}
        dir="auto"
        maxLength={2_000}
        value={known.alt ?? ""}
        onChange={({ target }) => onChange({ ...known, alt: target.value })}
      />
      <div className={styles.tools}>
        <Button
          small
          look="quiet"
          aria-label={t("removePicture", { number })}
          title={t("removePicture", { number })}
          onClick={onRemove}
        >
          ×
        </Button>
      </div>
    </li>
  );
}

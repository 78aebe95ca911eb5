"use client";
/** The pictures of a question. */
import { useTranslations } from "use-intl";
import type { AttemptQuestion } from "@/api/student.gen";
import { Picture } from "@/text/Picture";
import styles from "./questions.module.css";

type Item = AttemptQuestion["media"][number];

export function Media({ media }: { media: AttemptQuestion["media"] }) {
  if (!media.length) return null;
  return (
    <div className={styles.media}>
      {media.map((item, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list of a question never changes
        <MediaItem key={place} item={item} />
      ))}
    </div>
  );
}

function MediaItem({ item }: { item: Item }) {
  const t = useTranslations("questions");
  const { file_id: fileId, url, alt = "" } = typeof item === "string" ? { url: item } : item;
  if (fileId) return <Picture fileId={fileId} alt={alt} />;
  if (!url) return null;
  // Pages load nothing from elsewhere: what is elsewhere is a link.
  if (url.startsWith("https://")) {
    return (
      <a href={url} target="_blank" rel="noopener noreferrer">
        {alt ? t("openOf", { alt }) : t("open", { host: new URL(url).host })}
      </a>
    );
  }
  return (
    <p className={styles.hint} dir="auto">
      {t("named", { name: alt || url })}
    </p>
  );
}

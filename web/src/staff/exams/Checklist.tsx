"use client";
/** What is missing before publishing, each with the way to its place. */
import { useTranslations } from "use-intl";
import { Card, Stack } from "@/ui";
import { type Item, isReady } from "./checklist";
import styles from "./exams.module.css";

const MARKS = { done: "✓", missing: "✕", note: "!" } as const;

export function Checklist({ items, onGo }: { items: readonly Item[]; onGo: (item: Item) => void }) {
  const t = useTranslations("builder.checklist");
  const missing = items.filter(({ standing }) => standing === "missing").length;
  return (
    <Card>
      <Stack>
        <h2>{t("heading")}</h2>
        <p role="status">{isReady(items) ? t("ready") : t("count", { count: missing })}</p>
        <ul className={styles.checks}>
          {items.map((item) => (
            <li key={item.code + (item.detail ?? "")}>
              <button
                type="button"
                id={`check-${item.code}`}
                className={styles.check}
                onClick={() => onGo(item)}
              >
                <span className={styles.mark} data-standing={item.standing} aria-hidden>
                  {MARKS[item.standing]}
                </span>
                <span>
                  <span className="visually-hidden">{t(`standing.${item.standing}`)} </span>
                  {item.detail ?? t(`${item.code}.${item.standing}`)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </Stack>
    </Card>
  );
}

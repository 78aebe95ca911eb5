"use client";
/** A sentence of the API, which speaks English: marked as such where the page has another language. */
import { useLocale } from "use-intl";
import styles from "./imports.module.css";

export function Said({ text }: { text: string }) {
  const locale = useLocale();
  return locale === "en" ? (
    <p className={styles.said}>{text}</p>
  ) : (
    <p className={styles.said} lang="en" dir="ltr">
      {text}
    </p>
  );
}

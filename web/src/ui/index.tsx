/** The component set. Everything else that a page shows is made of these. */
import type { ReactNode } from "react";
import styles from "./ui.module.css";

export { Button, ButtonLink } from "./Button";
export { Dialog } from "./Dialog";
export { Select, TextArea, TextField } from "./Field";

export type Tone = "plain" | "accent" | "good" | "warn" | "bad";

export function Card({ children }: { children: ReactNode }) {
  return <div className={styles.card}>{children}</div>;
}

export function Stack({ children }: { children: ReactNode }) {
  return <div className={styles.stack}>{children}</div>;
}

export function Row({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}

/** `live`: read out when it appears; only for what the person waits for, or must know at once. */
export function Note({
  tone = "plain",
  live = false,
  children,
}: {
  tone?: Tone;
  live?: boolean;
  children: ReactNode;
}) {
  return (
    <div
      className={styles.note}
      data-tone={tone}
      role={live ? (tone === "bad" ? "alert" : "status") : undefined}
    >
      {children}
    </div>
  );
}

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={styles.badge} data-tone={tone}>
      {children}
    </span>
  );
}

export function Hint({ children }: { children: ReactNode }) {
  return <p className={styles.hint}>{children}</p>;
}

export function Table({
  caption,
  head,
  children,
}: {
  caption: string;
  head: ReactNode[];
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keyboard
    <section className={styles.tableWrap} aria-label={caption} tabIndex={0}>
      <table className={styles.table}>
        <thead>
          <tr>
            {head.map((cell, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns have their place
              <th key={place} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** `value` from 0 to 1; null where it is not known yet. */
export function Progress({ label, value }: { label: string; value: number | null }) {
  return (
    <div
      className={styles.progress}
      role="progressbar"
      aria-label={label}
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
      data-state={value === null ? "indeterminate" : "known"}
    >
      <div className={styles.progressBar} style={value === null ? undefined : { width: `${value * 100}%` }} />
    </div>
  );
}

export function Loading({ children }: { children: ReactNode }) {
  return (
    <p className={styles.loading} role="status">
      {children}
    </p>
  );
}

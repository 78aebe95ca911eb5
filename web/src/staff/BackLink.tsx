"use client";
/** The way back to the list that a page belongs to. */
import Link from "next/link";
import type { ReactNode } from "react";
import styles from "./back.module.css";

export function BackLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <div>
      <Link href={href} prefetch={false} className={styles.back}>
        {children}
      </Link>
    </div>
  );
}

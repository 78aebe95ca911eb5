import Link from "next/link";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./ui.module.css";

type Look = "plain" | "primary" | "danger" | "quiet";

interface Shared {
  look?: Look;
  small?: boolean;
}

function classes({ look = "plain", small = false }: Shared): string {
  return [styles.button, look === "plain" ? "" : styles[look], small ? styles.small : ""]
    .filter(Boolean)
    .join(" ");
}

/** `busy`: what it started is under way; it stays focusable, and does nothing. */
export function Button({
  look,
  small,
  busy = false,
  onClick,
  type = "button",
  ...rest
}: Shared & { busy?: boolean; ref?: Ref<HTMLButtonElement> } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button
      {...rest}
      type={type}
      className={classes({ look, small })}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    />
  );
}

interface LinkProps extends Shared {
  href: string;
  /** Of what it speaks of, where several links of a page read the same. */
  describedBy?: string;
  children: ReactNode;
}

export function ButtonLink({ look, small, href, describedBy, children }: LinkProps) {
  return (
    <Link href={href} className={classes({ look, small })} aria-describedby={describedBy} prefetch={false}>
      {children}
    </Link>
  );
}

"use client";
/** A modal dialog: the platform's own, which keeps the focus, makes the rest inert and closes on Escape. */
import { type ReactNode, useEffect, useId, useRef } from "react";
import styles from "./ui.module.css";

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  wide?: boolean;
  /** Buttons, the main one last. */
  actions?: ReactNode;
  children?: ReactNode;
}

export function Dialog({ open, onClose, title, wide = false, actions, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      className={wide ? `${styles.dialog} ${styles.wide}` : styles.dialog}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      {open ? (
        <div className={styles.dialogBody}>
          <h2 id={id}>{title}</h2>
          {children}
          {actions ? <div className={styles.actions}>{actions}</div> : null}
        </div>
      ) : null}
    </dialog>
  );
}

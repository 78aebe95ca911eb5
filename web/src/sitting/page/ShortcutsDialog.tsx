"use client";
/** Which keys there are, and the switch for who does not want them. */
import { useTranslations } from "use-intl";
import { Button, Dialog } from "@/ui";
import styles from "./shortcuts.module.css";
import { useShortcutsWanted } from "./useShortcuts";

const KEYS = [
  ["N", "next"],
  ["P", "previous"],
  ["F", "flag"],
  ["A", "layout"],
  ["R", "review"],
  ["?", "help"],
  ["Ctrl+Enter", "nextTyping"],
] as const;

export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTranslations("sitting");
  const c = useTranslations("common");
  const [wanted, want] = useShortcutsWanted();
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("shortcuts.title")}
      actions={<Button onClick={onClose}>{c("close")}</Button>}
    >
      <p>{t("shortcuts.text")}</p>
      <dl className={styles.keys}>
        {KEYS.map(([key, name]) => (
          <div key={key}>
            <dt>
              <kbd dir="ltr">{key}</kbd>
            </dt>
            <dd>{t(`shortcuts.${name}`)}</dd>
          </div>
        ))}
      </dl>
      <label className={styles.check}>
        <input type="checkbox" checked={wanted} onChange={(event) => want(event.target.checked)} />
        {t("shortcuts.on")}
      </label>
    </Dialog>
  );
}

"use client";
/** A password that can be looked at, with a word when the capitals key is on. */
import { type ComponentProps, type KeyboardEvent, type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { TextField } from "@/ui";
import styles from "./login.module.css";

interface Props extends Pick<ComponentProps<"input">, "name" | "autoComplete" | "minLength" | "ref"> {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  value: string;
  onText: (text: string) => void;
}

export function PasswordField({ onText, ...field }: Props) {
  const t = useTranslations("session");
  const [shown, setShown] = useState(false);
  const [capitals, setCapitals] = useState(false);
  const look = (event: KeyboardEvent) => setCapitals(event.getModifierState?.("CapsLock") ?? false);
  return (
    <div className={styles.password}>
      <TextField
        {...field}
        type={shown ? "text" : "password"}
        required
        dir="ltr"
        spellCheck={false}
        autoCapitalize="off"
        onChange={(event) => onText(event.target.value)}
        onKeyDown={look}
        onKeyUp={look}
        onBlur={() => setCapitals(false)}
      />
      <div className={styles.below}>
        <label className={styles.show}>
          <input type="checkbox" checked={shown} onChange={(event) => setShown(event.target.checked)} />
          {t("show")}
        </label>
        <span className={styles.capitals} role="status">
          {capitals ? t("capitals") : ""}
        </span>
      </div>
    </div>
  );
}

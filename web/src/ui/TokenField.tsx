"use client";
/** Several short texts: typed one by one (Enter or a comma ends one), removed by their buttons. */
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import styles from "./tokens.module.css";
import ui from "./ui.module.css";

interface Props {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  values: string[];
  onChange: (values: string[]) => void;
  suggestions?: string[];
  most?: number;
}

export function TokenField({ label, hint, error, values, onChange, suggestions = [], most = 100 }: Props) {
  const t = useTranslations("common");
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");

  function add(text: string) {
    const added = text
      .split(/[,،]/)
      .map((one) => one.trim().slice(0, most))
      .filter((one) => one && !values.includes(one));
    if (added.length) onChange([...values, ...new Set(added)]);
    setTyped("");
  }
  function keyed(event: KeyboardEvent<HTMLInputElement>) {
    if (event.nativeEvent.isComposing) return;
    if ((event.key === "Enter" || event.key === "," || event.key === "،") && typed.trim()) {
      event.preventDefault();
      add(typed);
    } else if (event.key === "Backspace" && !typed && values.length) {
      onChange(values.slice(0, -1));
    }
  }
  function remove(value: string) {
    onChange(values.filter((one) => one !== value));
    input.current?.focus();
  }

  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={ui.field}>
      <label htmlFor={id} className={ui.label}>
        {label}
      </label>
      {hint ? (
        <span id={`${id}-hint`} className={ui.hint}>
          {hint}
        </span>
      ) : null}
      <div className={`${ui.input} ${styles.box}`}>
        {values.map((value) => (
          <span key={value} className={styles.token}>
            <bdi>{value}</bdi>
            <button type="button" onClick={() => remove(value)} aria-label={t("removeOne", { name: value })}>
              ×
            </button>
          </span>
        ))}
        <input
          ref={input}
          id={id}
          className={styles.typed}
          value={typed}
          list={suggestions.length ? `${id}-list` : undefined}
          aria-describedby={described || undefined}
          aria-invalid={error ? true : undefined}
          onChange={({ target }) => setTyped(target.value)}
          onKeyDown={keyed}
          onBlur={() => add(typed)}
        />
      </div>
      {suggestions.length ? (
        <datalist id={`${id}-list`}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      ) : null}
      {error ? (
        <span id={`${id}-error`} className={ui.error} role="alert">
          {error}
        </span>
      ) : null}
    </div>
  );
}

"use client";
/** One of a few: real radio buttons in a group with a name. */
import { type ReactNode, useId } from "react";
import styles from "./choices.module.css";

export interface Choice<T extends string> {
  value: T;
  label: ReactNode;
  hint?: ReactNode;
}

interface Props<T extends string> {
  legend: ReactNode;
  options: Choice<T>[];
  value: T | null;
  onChange: (value: T) => void;
  error?: ReactNode;
  disabled?: boolean;
}

export function Choices<T extends string>({ legend, options, value, onChange, error, disabled }: Props<T>) {
  const name = useId();
  return (
    <fieldset
      className={styles.group}
      disabled={disabled}
      aria-describedby={error ? `${name}-error` : undefined}
    >
      <legend>{legend}</legend>
      <div className={styles.options}>
        {options.map((one) => (
          <label key={one.value} className={styles.option}>
            <input
              type="radio"
              name={name}
              checked={value === one.value}
              onChange={() => onChange(one.value)}
              aria-describedby={one.hint ? `${name}-${one.value}` : undefined}
            />
            <span>
              {one.label}
              {one.hint ? (
                <small id={`${name}-${one.value}`} className={styles.hint}>
                  {one.hint}
                </small>
              ) : null}
            </span>
          </label>
        ))}
      </div>
      {error ? (
        <span id={`${name}-error`} className={styles.error} role="alert">
          {error}
        </span>
      ) : null}
    </fieldset>
  );
}

export function Checkbox({
  label,
  hint,
  checked,
  disabled,
  onChange,
}: {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <label className={styles.check}>
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-labelledby={hint ? `${id}-label` : undefined}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={({ target }) => onChange(target.checked)}
      />
      <span>
        <span id={`${id}-label`}>{label}</span>
        {hint ? (
          <small id={`${id}-hint`} className={styles.hint}>
            {hint}
          </small>
        ) : null}
      </span>
    </label>
  );
}

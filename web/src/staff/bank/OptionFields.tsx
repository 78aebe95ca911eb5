"use client";
/** Options, lettered by their place: added, removed, moved; the right ones are marked. */
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { Button, Hint } from "@/ui";
import styles from "./bank.module.css";
import { type DraftOption, emptyOption, letter } from "./draft";
import { OptionItem } from "./OptionItem";
import type { EditorState } from "./useEditor";
import { useFault } from "./useFault";

const MOST_OPTIONS = 26;

export function OptionFields({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { draft, change } = editor;
  const { options } = draft;
  const fault = useFault(editor.faults);
  const list = useRef<HTMLUListElement>(null);
  const [said, setSaid] = useState("");
  /** Where the focus belongs after a change: elements that move lose it. */
  const [focus, setFocus] = useState<string | null>(null);
  useEffect(() => {
    if (!focus) return;
    list.current?.querySelector<HTMLElement>(focus)?.focus();
    setFocus(null);
  }, [focus]);

  const set = (next: DraftOption[]) => change({ options: next });
  function mark(place: number, correct: boolean) {
    const single = draft.type === "single_choice";
    set(
      options.map((one, at) =>
        at === place ? { ...one, correct } : single ? { ...one, correct: false } : one,
      ),
    );
  }
  function move(place: number, by: -1 | 1) {
    const next = [...options];
    const [moved] = next.splice(place, 1);
    if (!moved) return;
    next.splice(place + by, 0, moved);
    set(next);
    const end = by < 0 ? place + by === 0 : place + by === options.length - 1;
    const tool = by < 0 === end ? "down" : "up";
    setFocus(`[data-option="${moved.key}"] [data-tool="${tool}"]`);
    setSaid(t("moved", { letter: letter(place + by) }));
  }
  function remove(place: number) {
    set(options.filter((_, at) => at !== place));
    const beside = options[place + 1] ?? options[place - 1];
    if (beside) setFocus(`[data-option="${beside.key}"] textarea`);
    setSaid(t("removed", { letter: letter(place) }));
  }
  function add() {
    const added = emptyOption();
    set([...options, added]);
    setFocus(`[data-option="${added.key}"] textarea`);
  }

  const keyFault = fault("key.correct") ?? fault("options");
  return (
    <fieldset className={styles.group} data-invalid={Boolean(keyFault)}>
      <legend>{t("options")}</legend>
      <Hint>{draft.type === "single_choice" ? t("markOne") : t("markSeveral")}</Hint>
      {keyFault ? (
        <p className={styles.error} role="alert">
          {keyFault}
        </p>
      ) : null}
      <ul ref={list} className={styles.items}>
        {options.map((option, place) => (
          <OptionItem
            key={option.key}
            option={option}
            letter={letter(place)}
            single={draft.type === "single_choice"}
            fault={fault(`options.${place}.text`)}
            onText={(text) => set(options.map((one, at) => (at === place ? { ...one, text } : one)))}
            onMark={(correct) => mark(place, correct)}
            onUp={place > 0 ? () => move(place, -1) : null}
            onDown={place < options.length - 1 ? () => move(place, 1) : null}
            onRemove={options.length > 2 ? () => remove(place) : null}
          />
        ))}
      </ul>
      <span role="status" className="visually-hidden">
        {said}
      </span>
      {options.length < MOST_OPTIONS ? (
        <div>
          <Button small onClick={add}>
            {t("addOption")}
          </Button>
        </div>
      ) : null}
    </fieldset>
  );
}

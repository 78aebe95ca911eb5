"use client";
/** How answers are scored, and what of the results students see when. */
import { useTranslations } from "use-intl";
import { Note } from "@/ui";
import { Checkbox, Choices } from "@/ui/Choices";
import type { Draft } from "./draft";
import styles from "./exams.module.css";
import { Fixed, NumberField, type SectionProps } from "./fields";

const MULTI = ["all_or_nothing", "partial"] as const;
const POLICIES = ["immediate", "after_close", "manual"] as const;
const REVEALS = ["score", "correctness", "answers"] as const;

export function Scoring(props: SectionProps) {
  const t = useTranslations("builder.scoring");
  return (
    <>
      <OneOf {...props} name="multi_choice" values={MULTI} />
      <div className={styles.pair}>
        <NumberField
          {...props}
          name="wrong_penalty"
          label={t("wrong_penalty.legend")}
          hint={t("wrong_penalty.hint")}
          max={100}
          step={0.01}
        />
      </div>
      <Shuffles {...props} />
      <OneOf {...props} frozen={false} name="result_policy" values={POLICIES} />
      <OneOf {...props} frozen={false} name="reveal" values={REVEALS} />
      {props.form.draft.reveal === "answers" ? <Note>{t("answersNote")}</Note> : null}
    </>
  );
}

type Policy = "multi_choice" | "result_policy" | "reveal";

interface OneOfProps extends SectionProps {
  name: Policy;
  values: readonly Draft[Policy][];
}

function OneOf({ form, frozen, complaint, name, values }: OneOfProps) {
  const t = useTranslations("builder.scoring");
  const chosen = form.draft[name];
  if (frozen) return <Fixed label={t(`${name}.legend`)}>{t(`${name}.${chosen}`)}</Fixed>;
  return (
    <Choices
      legend={t(`${name}.legend`)}
      options={values.map((value) => ({
        value,
        label: t(`${name}.${value}`),
        hint: t(`${name}.${value}Hint`),
      }))}
      value={chosen}
      error={complaint(name)}
      onChange={(value) => form.set({ [name]: value })}
    />
  );
}

function Shuffles({ form, frozen }: SectionProps) {
  const t = useTranslations("builder.scoring");
  const names = ["shuffle_questions", "shuffle_options"] as const;
  return (
    <div className={styles.pair}>
      {names.map((name) =>
        frozen ? (
          <Fixed key={name} label={t(name)}>
            {form.draft[name] ? t("yes") : t("no")}
          </Fixed>
        ) : (
          <Checkbox
            key={name}
            checked={form.draft[name]}
            label={t(name)}
            hint={t(`${name}Hint`)}
            onChange={(checked) => form.set({ [name]: checked })}
          />
        ),
      )}
    </div>
  );
}

"use client";
/** What an exam is called and says, how long it takes, when it is open. */
import { useId, useState } from "react";
import { useTranslations } from "use-intl";
import { useMoment } from "@/i18n/when";
import { RichText } from "@/text/RichText";
import { Button, Hint, TextArea, TextField } from "@/ui";
import { isoOf, zone } from "../localTime";
import { MOST } from "./draft";
import styles from "./exams.module.css";
import { NumberField, type SectionProps } from "./fields";

export function Basics(props: SectionProps) {
  const t = useTranslations("builder.basics");
  const { form, complaint } = props;
  return (
    <>
      <TextField
        label={t("title")}
        dir="auto"
        maxLength={200}
        value={form.draft.title}
        error={complaint("title")}
        onChange={(event) => form.set({ title: event.target.value })}
      />
      <TextArea
        label={t("description")}
        hint={t("descriptionHint")}
        dir="auto"
        rows={3}
        value={form.draft.description}
        error={complaint("description")}
        onChange={(event) => form.set({ description: event.target.value })}
      />
      <Instructions {...props} />
      <div className={styles.pair}>
        <NumberField
          {...props}
          name="duration_minutes"
          label={t("duration")}
          hint={t("durationHint")}
          max={MOST.duration_minutes}
        />
        <NumberField
          {...props}
          name="max_attempts"
          label={t("attempts")}
          hint={t("attemptsHint")}
          max={MOST.max_attempts}
        />
        <NumberField
          {...props}
          name="grace_seconds"
          label={t("grace")}
          hint={t("graceHint")}
          max={MOST.grace_seconds}
        />
      </div>
      <Window {...props} />
      <TextField
        label={t("code")}
        hint={t("codeHint")}
        dir="auto"
        autoComplete="off"
        maxLength={100}
        value={form.draft.access_code}
        error={complaint("access_code")}
        onChange={(event) => form.set({ access_code: event.target.value })}
      />
    </>
  );
}

function Instructions({ form, complaint }: SectionProps) {
  const t = useTranslations("builder.basics");
  const [shown, setShown] = useState(false);
  const id = useId();
  const text = form.draft.instructions;
  return (
    <div className={styles.head}>
      <TextArea
        label={t("instructions")}
        hint={t("instructionsHint")}
        dir="auto"
        rows={5}
        value={text}
        error={complaint("instructions")}
        onChange={(event) => form.set({ instructions: event.target.value })}
      />
      <div>
        <Button small aria-expanded={shown} aria-controls={id} onClick={() => setShown(!shown)}>
          {shown ? t("hidePreview") : t("preview")}
        </Button>
      </div>
      <div id={id} hidden={!shown}>
        {shown ? (
          <div className={styles.preview} dir="auto">
            {text.trim() ? <RichText text={text} /> : <Hint>{t("nothingToPreview")}</Hint>}
          </div>
        ) : null}
      </div>
    </div>
  );
}

function Window({ form, complaint }: SectionProps) {
  const t = useTranslations("builder.basics");
  const moment = useMoment();
  const { start_time, end_time } = form.draft;
  const said = (local: string) => moment(isoOf(local)) ?? undefined;
  return (
    <div className={styles.head}>
      <div className={styles.pair}>
        <TextField
          label={t("start")}
          hint={said(start_time) ?? t("noStart")}
          type="datetime-local"
          value={start_time}
          error={complaint("start_time")}
          onChange={(event) => form.set({ start_time: event.target.value })}
        />
        <TextField
          label={t("end")}
          hint={said(end_time) ?? t("noEnd")}
          type="datetime-local"
          value={end_time}
          error={complaint("end_time")}
          onChange={(event) => form.set({ end_time: event.target.value })}
        />
      </div>
      <Hint>{t("zone", { zone: zone() })}</Hint>
    </div>
  );
}

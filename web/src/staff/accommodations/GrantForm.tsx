"use client";
/** Extra time, attempts and an own window: granted, changed, taken back; and what comes of it. */
import { type FormEvent, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Accommodation, AccommodationIn } from "@/api/staff.gen";
import { useMoment } from "@/i18n/when";
import { Button, Hint, Note, Row, Stack, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import styles from "../exams/exams.module.css";
import { toldOf } from "../exams/faults";
import { isoOf, zone } from "../localTime";
import { bodyOf, extended, type Grant, grantFaults, grantOf, MOST } from "./grant";

interface Props {
  /** null: none is set. */
  found: Accommodation | null;
  /** Of the exam, or of an example. */
  minutes: number;
  onSave: (body: AccommodationIn) => Promise<{ error?: unknown }>;
  onRemove: () => Promise<{ error?: unknown }>;
}

export function GrantForm({ found, minutes, onSave, onRemove }: Props) {
  const t = useTranslations("builder.grant");
  const [grant, setGrant] = useState(() => grantOf(found));
  const [state, setState] = useState<"idle" | "busy" | "saved" | "removed">("idle");
  const [problem, setProblem] = useState<unknown>(null);
  const faults = grantFaults(grant);

  const set = (changes: Partial<Grant>) => {
    setGrant({ ...grant, ...changes });
    setState("idle");
  };
  async function run(action: () => Promise<{ error?: unknown }>, done: "saved" | "removed") {
    setState("busy");
    const { error } = await action();
    setProblem(error ?? null);
    setState(error ? "idle" : done);
    if (!error && done === "removed") setGrant(grantOf(null));
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    if (state === "busy" || Object.keys(faults).length) return;
    run(() => onSave(bodyOf(grant, found)), "saved");
  }

  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <GrantFields grant={grant} told={toldOf(problem)} onChange={set} />
        {faults.extra_time_percent ? null : (
          <Outcome minutes={minutes} percent={Number(grant.extra_time_percent)} />
        )}
        <Hint>{t("atOnce")}</Hint>
        {problem && !Object.keys(toldOf(problem)).length ? <Problem error={problem} /> : null}
        {state === "saved" || state === "removed" ? (
          <Note tone="good" live>
            {t(state)}
          </Note>
        ) : null}
        <Row>
          <Button look="primary" type="submit" busy={state === "busy"}>
            {found ? t("change") : t("grant")}
          </Button>
          {found ? (
            <Button look="danger" busy={state === "busy"} onClick={() => run(onRemove, "removed")}>
              {t("remove")}
            </Button>
          ) : null}
        </Row>
      </Stack>
    </form>
  );
}

function Outcome({ minutes, percent }: { minutes: number; percent: number }) {
  const t = useTranslations("builder.grant");
  const format = useFormatter();
  const total = format.number(extended(minutes, percent), { maximumFractionDigits: 2 });
  return <Note>{t("outcome", { minutes, total })}</Note>;
}

interface FieldsProps {
  grant: Grant;
  told: Record<string, string>;
  onChange: (changes: Partial<Grant>) => void;
}

function GrantFields({ grant, told, onChange }: FieldsProps) {
  const t = useTranslations("builder");
  const moment = useMoment();
  const faults = grantFaults(grant);
  const complaint = (name: keyof Grant) => {
    const fault = faults[name];
    const most = name in MOST ? MOST[name as keyof typeof MOST] : 0;
    return fault ? t(`fault.${fault}`, { least: 0, most }) : told[name];
  };
  const field = (name: keyof Grant) => ({
    value: grant[name],
    error: complaint(name),
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
  });
  return (
    <>
      <div className={styles.pair}>
        <TextField
          {...field("extra_time_percent")}
          label={t("grant.percent")}
          hint={t("grant.percentHint")}
          type="number"
          min={0}
          max={MOST.extra_time_percent}
        />
        <TextField
          {...field("extra_attempts")}
          label={t("grant.attempts")}
          hint={t("grant.attemptsHint")}
          type="number"
          min={0}
          max={MOST.extra_attempts}
        />
      </div>
      <div className={styles.pair}>
        <TextField
          {...field("start_time")}
          label={t("grant.start")}
          hint={moment(isoOf(grant.start_time)) ?? t("grant.asExam")}
          type="datetime-local"
        />
        <TextField
          {...field("end_time")}
          label={t("grant.end")}
          hint={moment(isoOf(grant.end_time)) ?? t("grant.asExam")}
          type="datetime-local"
        />
      </div>
      <Hint>{t("basics.zone", { zone: zone() })}</Hint>
    </>
  );
}

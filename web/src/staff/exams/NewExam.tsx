"use client";
/** A new exam begins with a title and a duration; the rest is set where it is built. */
import { useRouter } from "next/navigation";
import { type FormEvent, useId, useState } from "react";
import { useTranslations } from "use-intl";
import { useCreateExamMutation } from "@/api/staff-exams";
import { Button, Dialog, Stack, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import { MOST } from "./draft";
import { isWhole } from "./faults";

export function NewExam({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTranslations("builder");
  const c = useTranslations("common");
  const router = useRouter();
  const form = useId();
  const [create, { isLoading, isSuccess, error }] = useCreateExamMutation();
  const [title, setTitle] = useState("");
  const [minutes, setMinutes] = useState("60");
  const [tried, setTried] = useState(false);
  const wrongTime = !isWhole(minutes, 1, MOST.duration_minutes);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (isLoading || isSuccess || !title.trim() || wrongTime) return;
    const { data } = await create({ newExam: { title: title.trim(), duration_minutes: Number(minutes) } });
    if (data) router.push(`/admin/exams/edit/?id=${data.id}`);
  }

  const actions = (
    <>
      <Button onClick={onClose}>{c("cancel")}</Button>
      <Button look="primary" type="submit" form={form} busy={isLoading || isSuccess}>
        {t("new.create")}
      </Button>
    </>
  );
  return (
    <Dialog open={open} onClose={onClose} title={t("list.new")} actions={actions}>
      <form id={form} onSubmit={submit} noValidate>
        <Stack>
          <p>{t("new.about")}</p>
          <TextField
            label={t("basics.title")}
            value={title}
            maxLength={200}
            required
            dir="auto"
            error={tried && !title.trim() ? t("fault.missing") : undefined}
            onChange={(event) => setTitle(event.target.value)}
          />
          <TextField
            label={t("basics.duration")}
            type="number"
            min={1}
            max={MOST.duration_minutes}
            value={minutes}
            error={
              tried && wrongTime ? t("fault.whole", { least: 1, most: MOST.duration_minutes }) : undefined
            }
            onChange={(event) => setMinutes(event.target.value)}
          />
          {error ? <Problem error={error} /> : null}
        </Stack>
      </form>
    </Dialog>
  );
}

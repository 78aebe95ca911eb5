"use client";
/** When students see their results, and the release where a person decides. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { useListAuditQuery, useReleaseResultsMutation } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { Button, Card, Dialog, Loading, Note, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";

export function Release({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.release");
  const moment = useMoment();
  if (exam.status === "draft" || exam.status === "publishing") return null;
  const end = moment(exam.end_time);
  return (
    <Card>
      <Stack>
        <h2>{t("title")}</h2>
        {exam.result_policy === "immediate" ? <p>{t("immediate")}</p> : null}
        {exam.result_policy === "after_close" ? (
          <p>{end ? t("afterEnd", { end }) : t("afterClose")}</p>
        ) : null}
        {exam.result_policy === "manual" ? <p>{t("manual")}</p> : null}
        <p>{t(`reveal.${exam.reveal}`)}</p>
        {exam.result_policy === "manual" ? <Manual exam={exam} /> : null}
      </Stack>
    </Card>
  );
}

/** The audit trail knows whether, when and by whom. */
function Manual({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.release");
  const c = useTranslations("common");
  const moment = useMoment();
  const found = useListAuditQuery({ objectId: exam.id, action: "results.released", limit: 1 });
  if (found.error && !found.data) return <Problem error={found.error} onRetry={found.refetch} />;
  if (!found.data) return <Loading>{c("loading")}</Loading>;
  const [entry] = found.data.items;
  if (!entry) return <Withheld exam={exam} />;
  return (
    <Note tone="good" live>
      {entry.actor_name
        ? t("releasedBy", { at: moment(entry.at) ?? "", name: entry.actor_name })
        : t("released", { at: moment(entry.at) ?? "" })}
    </Note>
  );
}

function Withheld({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.release");
  const c = useTranslations("common");
  const [open, setOpen] = useState(false);
  const [release, { isLoading, error }] = useReleaseResultsMutation();
  const actions = (
    <>
      <Button onClick={() => setOpen(false)}>{c("cancel")}</Button>
      <Button
        look="primary"
        busy={isLoading}
        onClick={async () => {
          if ((await release({ examId: exam.id })).data) setOpen(false);
        }}
      >
        {t("confirm")}
      </Button>
    </>
  );
  return (
    <>
      <div>
        <Button look="primary" onClick={() => setOpen(true)}>
          {t("button")}
        </Button>
      </div>
      <Dialog open={open} onClose={() => setOpen(false)} title={t("ask")} actions={actions}>
        <p>{t("text")}</p>
        {error ? <Problem error={error} /> : null}
      </Dialog>
    </>
  );
}

"use client";
/** Choosing a workbook and what is to be made of it. The first thing is a check that changes nothing. */
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import { Button, Card, Hint, Row, Stack } from "@/ui";
import { Choices } from "@/ui/Choices";
import { PageTitle } from "@/ui/Shell";
import { FileDrop } from "./FileDrop";
import styles from "./imports.module.css";
import { SendProblem } from "./SendProblem";
import { copied, type FileFault, fileFault, type Sending } from "./sending";
import { TemplateLink } from "./TemplateLink";

export function UploadForm({ sending }: { sending: Sending }) {
  const t = useTranslations("imports");
  const [kind, setKind] = useState<Job["kind"]>("questions");
  const [onError, setOnError] = useState<Job["on_error"]>("reject_file");
  const [file, setFile] = useState<File | null>(null);
  const [fault, setFault] = useState<FileFault | "unreadable" | "missing" | null>(null);

  async function choose(chosen: File) {
    sending.onChange();
    const found = fileFault(chosen);
    const kept = found ? null : await copied(chosen).catch(() => null);
    setFault(found ?? (kept ? null : "unreadable"));
    setFile(kept);
  }
  function start(dryRun: boolean) {
    if (file) sending.start({ file, kind, onError, dryRun });
    else setFault((before) => before ?? "missing");
  }
  function check(event: FormEvent) {
    event.preventDefault();
    if (!sending.busy) start(true);
  }

  return (
    <Stack>
      <PageTitle>{t("title")}</PageTitle>
      <Card>
        <form onSubmit={check} className={styles.form}>
          <Choices
            legend={t("kind")}
            value={kind}
            onChange={setKind}
            options={[
              { value: "questions", label: t("questions"), hint: t("questionsHint") },
              { value: "users", label: t("users"), hint: t("usersHint") },
            ]}
          />
          <Row>
            <TemplateLink kind={kind} />
            <Hint>{t("templateHint")}</Hint>
          </Row>
          <FileDrop file={file} onFile={choose} fault={fault ? t(`file.${fault}`) : null} />
          <Choices
            legend={t("onError")}
            value={onError}
            onChange={setOnError}
            options={[
              { value: "reject_file", label: t("rejectFile"), hint: t("rejectFileHint") },
              { value: "skip_rows", label: t("skipRows"), hint: t("skipRowsHint") },
            ]}
          />
          {sending.problem ? <SendProblem error={sending.problem} /> : null}
          <Row>
            <Button look="primary" type="submit" busy={sending.busy}>
              {sending.busy ? t("sending") : t("check")}
            </Button>
            <Button look="quiet" busy={sending.busy} onClick={() => start(false)}>
              {t("importAtOnce")}
            </Button>
          </Row>
          <Hint>{t("checkHint")}</Hint>
        </form>
      </Card>
    </Stack>
  );
}

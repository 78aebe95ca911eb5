"use client";
/** The attempt is closed: what was received, to keep; what was not taken; the result, if it is told already. */
import { useFormatter, useTranslations } from "use-intl";
import type { Submitted } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { Button, ButtonLink, Card, Note, Row, Stack } from "@/ui";
import { PageTitle } from "@/ui/Shell";
import type { HandedInBy } from "../slice";
import { notTakenOf } from "../standing";
import { useShown } from "./context";
import { download } from "./download";
import { NotTaken } from "./NotTaken";
import styles from "./receipt.module.css";

interface Props {
  submitted: Submitted;
  by: HandedInBy;
  title: string | null;
  practice?: boolean;
}

export function Receipt({ submitted, by, title, practice = false }: Props) {
  const t = useTranslations("sitting");
  const lines = useLines(submitted, title);
  const allTaken = useShown(
    (state) => notTakenOf(state.entries, submitted.rejected, state.uploads).length === 0,
  );
  const heading = by === "time" || submitted.status === "expired" ? t("timeExpired") : t("handedIn");
  return (
    <Card>
      <Stack>
        <PageTitle>{heading}</PageTitle>
        {practice ? <Note>{t("practice.done")}</Note> : null}
        {practice || !allTaken ? null : <Note tone="good">{t(`by.${by}`)}</Note>}
        <NotTaken rejected={submitted.rejected} />
        {practice ? null : <Result submitted={submitted} />}
        <h2>{t("receipt.title")}</h2>
        <p>{t("receipt.keep")}</p>
        <dl className={styles.receipt}>
          {lines.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
        <Row>
          <Button
            onClick={() =>
              download(
                `examhall-receipt-${submitted.submitted_at.slice(0, 10)}.txt`,
                lines.map(([name, value]) => `${name}: ${value}`).join("\n"),
              )
            }
          >
            {t("receipt.download")}
          </Button>
          <Button onClick={() => window.print()}>{t("receipt.print")}</Button>
          <ButtonLink href="/">{t("toExams")}</ButtonLink>
          {practice ? (
            <Button onClick={() => window.location.reload()}>{t("practice.again")}</Button>
          ) : (
            <ButtonLink look="primary" href={`/results/?attempt=${submitted.student_exam_id}`}>
              {t("toResult")}
            </ButtonLink>
          )}
        </Row>
      </Stack>
    </Card>
  );
}

function useLines(submitted: Submitted, title: string | null): [string, string][] {
  const t = useTranslations("sitting");
  const moment = useMoment();
  const { receipt } = submitted;
  return [
    ...(title ? [[t("receipt.exam"), title] satisfies [string, string]] : []),
    [t("receipt.status"), t(`receipt.${submitted.status}`)],
    [t("receipt.at"), moment(submitted.submitted_at) ?? ""],
    [t("receipt.exactly"), submitted.submitted_at],
    [t("receipt.count"), String(receipt.answer_count)],
    [t("receipt.digest"), receipt.answers_digest],
    [t("receipt.attempt"), submitted.student_exam_id],
  ];
}

function Result({ submitted }: { submitted: Submitted }) {
  const t = useTranslations("sitting");
  const format = useFormatter();
  const { total_score: score, max_possible: max, percentage, grading, pending_count: pending } = submitted;
  if (grading === "pending") return <p>{t("result.grading")}</p>;
  if (score === null) return <p>{t("result.withheld")}</p>;
  const number = (value: number) => format.number(value, { maximumFractionDigits: 2 });
  return (
    <p className={styles.score}>
      <strong>{t("result.score", { score: number(score), max: number(max) })}</strong>
      {percentage === null
        ? null
        : ` · ${format.number(percentage / 100, { style: "percent", maximumFractionDigits: 2 })}`}
      {pending > 0 ? ` · ${t("result.pending", { count: pending })}` : null}
    </p>
  );
}

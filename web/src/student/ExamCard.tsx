"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { MyExam } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { RichText } from "@/text/RichText";
import { Badge, ButtonLink, Card, Row } from "@/ui";
import { attemptsLeft, type Group, groupOf } from "./groups";
import styles from "./student.module.css";
import { TimeLeft } from "./TimeLeft";

export function ExamCard({ exam, receivedAt }: { exam: MyExam; receivedAt: number }) {
  const group = groupOf(exam);
  const titleId = `exam-${exam.id}`;
  return (
    <Card>
      <article className={styles.exam} aria-labelledby={titleId}>
        <div className={styles.examHead}>
          <h3 id={titleId} dir="auto">
            {exam.title}
          </h3>
          <StatusBadge exam={exam} group={group} receivedAt={receivedAt} />
        </div>
        {exam.description && group !== "done" ? <RichText text={exam.description} /> : null}
        <Facts exam={exam} group={group} />
        <Actions exam={exam} group={group} titleId={titleId} />
      </article>
    </Card>
  );
}

function StatusBadge({ exam, group, receivedAt }: { exam: MyExam; group: Group; receivedAt: number }) {
  const t = useTranslations("exams");
  if (exam.my_status === "in_progress" && exam.time_remaining_seconds !== null) {
    return (
      <Badge tone="accent">
        <TimeLeft seconds={exam.time_remaining_seconds} receivedAt={receivedAt} />
      </Badge>
    );
  }
  if (exam.my_status === "not_started") {
    return group === "done" ? <Badge>{t("notTaken")}</Badge> : null;
  }
  const tone = {
    in_progress: "accent",
    submitted: "good",
    expired: "warn",
    paused: "warn",
    void: "bad",
  } as const;
  return <Badge tone={tone[exam.my_status]}>{t(`status.${exam.my_status}`)}</Badge>;
}

/** What one wants to know before: how much, how long, until when, how often. */
export function Facts({ exam, group }: { exam: MyExam; group: Group }) {
  const t = useTranslations("exams");
  const moment = useMoment();
  const facts: ReactNode[] = [
    t("questions", { count: exam.question_count }),
    t("minutes", { count: exam.duration_minutes }),
    t("points", { points: exam.max_possible }),
  ];
  if (group === "upcoming" && exam.start_time)
    facts.push(t("opens", { time: moment(exam.start_time) ?? "" }));
  if (group !== "done" && exam.end_time) facts.push(t("closes", { time: moment(exam.end_time) ?? "" }));
  if (group === "done" && exam.phase === "past" && exam.end_time) {
    facts.push(t("closed", { time: moment(exam.end_time) ?? "" }));
  }
  if (group === "open" && exam.max_attempts > 1) {
    facts.push(t("attemptsLeft", { left: attemptsLeft(exam), most: exam.max_attempts }));
  }
  return (
    <ul className={styles.facts}>
      {facts.map((fact) => (
        <li key={String(fact)}>{fact}</li>
      ))}
    </ul>
  );
}

function Actions({ exam, group, titleId }: { exam: MyExam; group: Group; titleId: string }) {
  const t = useTranslations("exams");
  const over = exam.my_status === "submitted" || exam.my_status === "expired";
  const result = over && exam.student_exam_id ? `/results/?attempt=${exam.student_exam_id}` : null;
  const main =
    exam.my_status === "in_progress" ? (
      <ButtonLink look="primary" href={`/sit/?exam=${exam.id}`} describedBy={titleId}>
        {t("resume")}
      </ButtonLink>
    ) : group === "open" ? (
      <ButtonLink look="primary" href={`/start/?exam=${exam.id}`} describedBy={titleId}>
        {over ? t("startAgain") : t("start")}
      </ButtonLink>
    ) : null;
  if (exam.my_status === "paused") return <p>{t("pausedText")}</p>;
  if (exam.my_status === "void") return <p>{t("voidText")}</p>;
  if (!main && !result) return null;
  return (
    <Row>
      {main}
      {result ? (
        <ButtonLink href={result} describedBy={titleId}>
          {t("result")}
        </ButtonLink>
      ) : null}
    </Row>
  );
}

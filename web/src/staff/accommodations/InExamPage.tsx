"use client";
/** The page of accommodations in one exam: who has one, and the form of one student. */
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { useGetUserQuery, useListAuditQuery } from "@/api/staff-exams";
import { useMoment } from "@/i18n/when";
import { Button, Card, Hint, Stack } from "@/ui";
import { ExamPage } from "../exams/ExamPage";
import styles from "../exams/exams.module.css";
import { useQueryState } from "../queryState";
import { InExam } from "./InExam";
import { StudentHead } from "./OwnPage";
import { StudentSearch } from "./StudentSearch";

export function InExamPage() {
  return <ExamPage part="accommodations">{(exam) => <Found exam={exam} />}</ExamPage>;
}

function Found({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.accommodations");
  const [params, change] = useQueryState();
  const studentId = params.get("student");
  const open = (id: string | null) => change({ student: id });
  if (studentId) {
    return (
      <Card>
        <div className={styles.head}>
          <StudentHead studentId={studentId} onOther={() => open(null)} />
          <InExam exam={exam} studentId={studentId} />
        </div>
      </Card>
    );
  }
  return (
    <>
      <Hint>{t("examAbout")}</Hint>
      <Card>
        <StudentSearch
          label={t("findStudent")}
          action={({ id, name }) => (
            <Button small aria-label={t("openNamed", { name })} onClick={() => open(id)}>
              {t("open")}
            </Button>
          )}
        />
      </Card>
      <Lately exam={exam} onOpen={open} />
    </>
  );
}

const LOOKED_AT = 200;

/** The API has no list of who has one: the latest changes of the audit trail tell. */
function Lately({ exam, onOpen }: { exam: Exam; onOpen: (id: string) => void }) {
  const t = useTranslations("builder.accommodations");
  const { data } = useListAuditQuery({ objectType: "accommodation", limit: LOOKED_AT });
  const latest = useMemo(() => {
    const found = new Map<string, { at: string; set: boolean }>();
    for (const { object_id, at, action } of data?.items ?? []) {
      const [student = "", inExam] = object_id.split("/");
      if (inExam !== exam.id || found.has(student)) continue;
      found.set(student, { at, set: action === "accommodation.set" });
    }
    return [...found].filter(([, { set }]) => set);
  }, [data, exam.id]);
  if (!latest.length) return null;
  return (
    <Card>
      <Stack>
        <h2>{t("lately")}</h2>
        <ul className={styles.people}>
          {latest.map(([id, { at }]) => (
            <Changed key={id} id={id} at={at} onOpen={onOpen} />
          ))}
        </ul>
      </Stack>
    </Card>
  );
}

function Changed({ id, at, onOpen }: { id: string; at: string; onOpen: (id: string) => void }) {
  const t = useTranslations("builder.accommodations");
  const moment = useMoment();
  const { data } = useGetUserQuery({ userId: id });
  const name = data?.name || data?.email || id;
  return (
    <li>
      <span className={styles.who}>
        <span dir="auto">{name}</span>
        <span className={styles.soft}>{t("setAt", { at: moment(at) ?? "" })}</span>
      </span>
      <Button small aria-label={t("openNamed", { name })} onClick={() => onOpen(id)}>
        {t("open")}
      </Button>
    </li>
  );
}

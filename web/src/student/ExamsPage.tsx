"use client";
/** My exams: what goes on first, then what may be started, what comes, what is over. */
import { useTranslations } from "use-intl";
import { type ReceivedExams, useMyExamsQuery } from "@/api/student";
import { ButtonLink, Card, Hint, Loading, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { ExamCard } from "./ExamCard";
import { FRESH } from "./fresh";
import { GROUPS, grouped } from "./groups";
import styles from "./student.module.css";

export function ExamsPage() {
  const t = useTranslations("exams");
  const c = useTranslations("common");
  const { data, error, refetch } = useMyExamsQuery(undefined, FRESH);
  return (
    <div className={styles.page}>
      <PageTitle>{t("title")}</PageTitle>
      {error ? <Problem error={error} onRetry={refetch} /> : null}
      {data ? <Groups found={data} /> : error ? null : <Loading>{c("loading")}</Loading>}
      <PracticeCard />
    </div>
  );
}

function Groups({ found }: { found: ReceivedExams }) {
  const t = useTranslations("exams");
  const groups = grouped(found.items);
  if (!found.items.length) {
    return (
      <Card>
        <Stack>
          <h2>{t("noneTitle")}</h2>
          <p>{t("none")}</p>
        </Stack>
      </Card>
    );
  }
  return (
    <>
      {groups.running.length || groups.open.length ? null : <Hint>{t("noneNow")}</Hint>}
      {GROUPS.filter((group) => groups[group].length).map((group) => (
        <section key={group} className={styles.group} aria-labelledby={`group-${group}`}>
          <h2 id={`group-${group}`}>{t(`groups.${group}`)}</h2>
          {groups[group].map((exam) => (
            <ExamCard key={exam.id} exam={exam} receivedAt={found.receivedAt} />
          ))}
        </section>
      ))}
    </>
  );
}

function PracticeCard() {
  const t = useTranslations("exams");
  return (
    <aside className={styles.practice} aria-labelledby="practice-title">
      <div>
        <h2 id="practice-title">{t("practiceTitle")}</h2>
        <p>{t("practiceText")}</p>
      </div>
      <ButtonLink href="/practice/">{t("practice")}</ButtonLink>
    </aside>
  );
}

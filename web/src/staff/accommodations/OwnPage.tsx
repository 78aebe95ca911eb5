"use client";
/** The page of a student's own accommodation. */
import { useTranslations } from "use-intl";
import { useGetUserQuery } from "@/api/staff-exams";
import { Button, Card, Hint, Loading } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { BackLink } from "../BackLink";
import styles from "../exams/exams.module.css";
import { useQueryState } from "../queryState";
import { StaffPage } from "../StaffPage";
import { Own } from "./Own";
import { StudentSearch } from "./StudentSearch";

export function OwnPage() {
  return <StaffPage part="people">{() => <Found />}</StaffPage>;
}

function Found() {
  const t = useTranslations("builder.accommodations");
  const [params, change] = useQueryState();
  const studentId = params.get("student");
  return (
    <>
      <div className={styles.head}>
        <BackLink href="/admin/people/">{t("toPeople")}</BackLink>
        <PageTitle>{t("ownTitle")}</PageTitle>
        <Hint>{t("ownAbout")}</Hint>
      </div>
      <Card>
        {studentId ? (
          <OfStudent key={studentId} studentId={studentId} onOther={() => change({ student: null })} />
        ) : (
          <StudentSearch
            label={t("findStudent")}
            action={({ id, name }) => (
              <Button small aria-label={t("openNamed", { name })} onClick={() => change({ student: id })}>
                {t("open")}
              </Button>
            )}
          />
        )}
      </Card>
    </>
  );
}

function OfStudent({ studentId, onOther }: { studentId: string; onOther: () => void }) {
  return (
    <div className={styles.head}>
      <StudentHead studentId={studentId} onOther={onOther} />
      <Own studentId={studentId} />
    </div>
  );
}

export function StudentHead({ studentId, onOther }: { studentId: string; onOther: () => void }) {
  const t = useTranslations("builder.accommodations");
  const c = useTranslations("common");
  const { currentData, error, refetch } = useGetUserQuery({ userId: studentId });
  if (error) return <Problem error={error} onRetry={refetch} />;
  if (!currentData) return <Loading>{c("loading")}</Loading>;
  return (
    <div className={styles.headline}>
      <div>
        <h2 dir="auto">{currentData.name || currentData.email}</h2>
        <span className={styles.soft}>{[currentData.email, ...currentData.groups].join(" · ")}</span>
      </div>
      <Button small onClick={onOther}>
        {t("other")}
      </Button>
    </div>
  );
}

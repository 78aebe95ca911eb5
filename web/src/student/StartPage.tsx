"use client";
/** Before an exam: what it is, what the rules are, and the button that starts the clock. */
import { useRouter, useSearchParams } from "next/navigation";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import { useMyExamsQuery, useStartMutation } from "@/api/student";
import type { MyExam } from "@/api/student.gen";
import { useMoment } from "@/i18n/when";
import { handOver } from "@/sitting/handover";
import { RichText } from "@/text/RichText";
import { Button, ButtonLink, Card, Loading, Note, Row, Stack, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { Facts } from "./ExamCard";
import { FRESH } from "./fresh";
import { groupOf } from "./groups";
import { Rules } from "./Rules";
import { StartProblem } from "./StartProblem";
import styles from "./student.module.css";

export function StartPage() {
  const t = useTranslations("exams");
  const c = useTranslations("common");
  const id = useSearchParams().get("exam");
  const { data, error, refetch } = useMyExamsQuery(undefined, FRESH);
  const exam = data?.items.find((one) => one.id === id);
  if (exam) return <Intro exam={exam} />;
  if (!data) return error ? <Problem error={error} onRetry={refetch} /> : <Loading>{c("loading")}</Loading>;
  return (
    <Stack>
      <PageTitle>{t("unknownTitle")}</PageTitle>
      <p>{t("unknown")}</p>
      <Row>
        <ButtonLink href="/">{t("toExams")}</ButtonLink>
      </Row>
    </Stack>
  );
}

function Intro({ exam }: { exam: MyExam }) {
  const group = groupOf(exam);
  return (
    <div className={styles.narrow}>
      <PageTitle>
        <bdi>{exam.title}</bdi>
      </PageTitle>
      <Facts exam={exam} group={group} />
      {exam.description ? <RichText text={exam.description} /> : null}
      {group === "open" ? <StartForm exam={exam} /> : <NotNow exam={exam} />}
    </div>
  );
}

/** Where there is nothing to start: why, and where to go. */
function NotNow({ exam }: { exam: MyExam }) {
  const t = useTranslations("exams");
  const moment = useMoment();
  if (exam.my_status === "in_progress") {
    return (
      <Note tone="warn">
        <p>{t("alreadyStarted")}</p>
        <div>
          <ButtonLink look="primary" href={`/sit/?exam=${exam.id}`}>
            {t("resume")}
          </ButtonLink>
        </div>
      </Note>
    );
  }
  const text =
    exam.my_status === "paused"
      ? t("pausedText")
      : exam.phase === "upcoming"
        ? t("notYet", { time: moment(exam.start_time) ?? "" })
        : exam.attempts_used > 0
          ? t("attemptLimit", { count: exam.max_attempts })
          : t("isOver", { time: moment(exam.end_time) ?? "" });
  return (
    <Note>
      <p>{text}</p>
      <div>
        <ButtonLink href="/">{t("toExams")}</ButtonLink>
      </div>
    </Note>
  );
}

function StartForm({ exam }: { exam: MyExam }) {
  const t = useTranslations("exams");
  const router = useRouter();
  const [start, { isLoading, error, isSuccess }] = useStartMutation();
  const [code, setCode] = useState("");
  const address = `/sit/?exam=${exam.id}`;
  useEffect(() => router.prefetch(address), [router, address]);
  const codeWrong = isProblem(error) && error.code === "access_code_wrong";

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isLoading || isSuccess) return;
    const answer = await start({
      examId: exam.id,
      start: exam.access_code_needed ? { access_code: code } : {},
    });
    // A start whose answer was lost has started: going on is what was wanted.
    const started = isProblem(answer.error) && answer.error.code === "already_started";
    if (answer.data) handOver(answer.data);
    if (answer.data || started) router.push(address);
  }
  return (
    <form className={styles.narrow} onSubmit={submit}>
      <Card>
        <Rules exam={exam} />
      </Card>
      {exam.access_code_needed ? (
        <TextField
          label={t("accessCode")}
          hint={t("accessCodeHint")}
          error={codeWrong ? t("accessCodeWrong") : undefined}
          name="access_code"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          dir="auto"
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      ) : null}
      {error && !codeWrong ? <StartProblem error={error} exam={exam} /> : null}
      <Row>
        <Button look="primary" type="submit" busy={isLoading || isSuccess}>
          {isLoading || isSuccess ? t("starting") : t("startNow")}
        </Button>
        <ButtonLink href="/">{t("notYetButton")}</ButtonLink>
      </Row>
    </form>
  );
}

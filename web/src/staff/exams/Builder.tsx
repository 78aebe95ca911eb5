"use client";
/** Building an exam: sections, a checklist beside them, saved when the author says so. */
import * as Tabs from "@radix-ui/react-tabs";
import { useEffect, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { Exam } from "@/api/staff.gen";
import { Card, Note, Stack } from "@/ui";
import { useQueryState } from "../queryState";
import { useUnsaved } from "../useUnsaved";
import { Basics } from "./Basics";
import { Checklist } from "./Checklist";
import { checklist, type Item, type Reason, TABS, type Tab } from "./checklist";
import styles from "./exams.module.css";
import { toldOf } from "./faults";
import { type SectionProps, useComplaint } from "./fields";
import { CloseExam, DeleteExam } from "./Lifecycle";
import { Publish } from "./Publish";
import { QuestionsSection } from "./QuestionsSection";
import { SaveBar } from "./SaveBar";
import { Scoring } from "./Scoring";
import { tabOf } from "./tabs";
import { useExamForm } from "./useExamForm";
import { useQuestions } from "./useQuestions";
import { Who } from "./Who";

export function Builder({ exam }: { exam: Exam }) {
  const t = useTranslations("builder");
  const form = useExamForm(exam);
  const [tab, setTab] = useTab();
  const [reasons, setReasons] = useState<Reason[]>([]);
  const [published, setPublished] = useState(false);
  const questions = useQuestions(
    useMemo(() => form.draft.questions.map(({ id }) => id), [form.draft.questions]),
  );
  const complaint = useComplaint(form, toldOf(form.problem));
  const showWrong = useFirstWrong(form, setTab);
  useUnsaved(form.dirty, t("save.leave"));

  const frozen = exam.status !== "draft";
  const known = { ...form, questions: questions.known, reasons, now: Date.now() };
  const items = checklist(form.draft, known);
  async function save() {
    showWrong();
    if (await form.save()) setReasons([]);
  }
  function go(item: Item) {
    if (item.code === "saved") save();
    else setTab(item.tab);
  }
  const props: SectionProps = { form, frozen, complaint };
  const sections: Record<Tab, React.ReactNode> = {
    basics: <Basics {...props} />,
    questions: <QuestionsSection {...props} questions={questions} reasons={reasons} />,
    scoring: <Scoring {...props} />,
    who: <Who {...props} />,
  };
  return (
    <div className={styles.builder}>
      <div className={styles.section}>
        {published ? <PublishedNote /> : null}
        <Standing exam={exam} />
        <Tabs.Root value={tab} onValueChange={(value) => setTab(value as Tab)} activationMode="manual">
          <Tabs.List className={styles.tabs} aria-label={t("tab.label")}>
            {TABS.map((one) => (
              <Tabs.Trigger key={one} value={one} className={styles.tab}>
                {t(`tab.${one}`)}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
          {TABS.map((one) => (
            <Tabs.Content key={one} value={one} className={styles.panel}>
              <h2 className="visually-hidden">{t(`tab.${one}`)}</h2>
              {sections[one]}
            </Tabs.Content>
          ))}
        </Tabs.Root>
        <SaveBar form={form} onSave={save}>
          {exam.status === "draft" ? (
            <Publish exam={exam} items={items} onDone={() => setPublished(true)} onRefused={setReasons} />
          ) : null}
        </SaveBar>
      </div>
      <aside className={styles.aside} aria-label={t("tab.aside")}>
        {frozen ? <Summary exam={exam} /> : <Checklist items={items} onGo={go} />}
        {exam.status === "published" ? <CloseExam exam={exam} /> : null}
        {exam.status === "draft" ? <DeleteExam exam={exam} /> : null}
      </aside>
    </div>
  );
}

function useTab(): [Tab, (tab: Tab) => void] {
  const [params, change] = useQueryState();
  const wanted = params.get("tab");
  return [TABS.find((one) => one === wanted) ?? "basics", (tab) => change({ tab })];
}

/** Shows the first field that is wrong when a save was asked for in vain. */
function useFirstWrong(form: ReturnType<typeof useExamForm>, setTab: (tab: Tab) => void) {
  const [wanted, setWanted] = useState(0);
  const wrong = Object.keys(form.faults)[0] ?? Object.keys(toldOf(form.problem))[0];
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time it is asked for
  useEffect(() => {
    if (!wanted || !wrong) return;
    setTab(tabOf(wrong));
    const frame = requestAnimationFrame(() => {
      document.querySelector<HTMLElement>('[role="tabpanel"] [aria-invalid="true"]')?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, [wanted, form.problem]);
  return () => setWanted((before) => before + 1);
}

function PublishedNote() {
  const t = useTranslations("builder.publish");
  return (
    <Note tone="good" live>
      {t("done")}
    </Note>
  );
}

function Standing({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.standing");
  if (exam.status === "draft") return null;
  return <Note tone={exam.status === "publishing" ? "warn" : "plain"}>{t(exam.status)}</Note>;
}

function Summary({ exam }: { exam: Exam }) {
  const t = useTranslations("builder.list");
  const s = useTranslations("builder.standing");
  return (
    <Card>
      <Stack>
        <h2>{s("title")}</h2>
        <div className={styles.facts}>
          <span>{t("questions", { count: exam.question_count })}</span>
          <span>{t("points", { count: exam.max_possible })}</span>
          <span>{t("attempts", { count: exam.attempt_count })}</span>
        </div>
      </Stack>
    </Card>
  );
}

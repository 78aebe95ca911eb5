"use client";
/** Picks questions from the bank: search, filter, several at once. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { ListQuestionsApiArg, Question } from "@/api/staff.gen";
import { useBankPagesInfiniteQuery } from "@/api/staff-exams";
import { Button, Dialog, Hint, Loading, Select, TextField } from "@/ui";
import { Checkbox } from "@/ui/Choices";
import { Problem } from "@/ui/Problem";
import { useSettled } from "../queryState";
import styles from "./exams.module.css";

const TYPES = [
  "single_choice",
  "multi_choice",
  "true_false",
  "numeric",
  "short_text",
  "text",
  "image",
] as const;

interface Props {
  open: boolean;
  /** What the exam has already. */
  chosen: ReadonlySet<string>;
  onClose: () => void;
  onAdd: (questions: Question[]) => void;
}

export function Picker({ open, chosen, onClose, onAdd }: Props) {
  const t = useTranslations("builder.picker");
  const c = useTranslations("common");
  const [picked, setPicked] = useState<ReadonlyMap<string, Question>>(new Map());
  const close = () => {
    setPicked(new Map());
    onClose();
  };
  const actions = (
    <>
      <Button onClick={close}>{c("cancel")}</Button>
      <Button
        look="primary"
        disabled={!picked.size}
        onClick={() => {
          onAdd([...picked.values()]);
          setPicked(new Map());
        }}
      >
        {t("add", { count: picked.size })}
      </Button>
    </>
  );
  return (
    <Dialog open={open} onClose={close} title={t("title")} wide actions={actions}>
      <Search chosen={chosen} picked={picked} onPick={setPicked} />
    </Dialog>
  );
}

interface SearchProps {
  chosen: ReadonlySet<string>;
  picked: ReadonlyMap<string, Question>;
  onPick: (picked: ReadonlyMap<string, Question>) => void;
}

function Search(props: SearchProps) {
  const t = useTranslations("builder.picker");
  const kinds = useTranslations("builder.questions.type");
  const [filter, setFilter] = useState({ q: "", category: "", tag: "", type: "" });
  const set = (changes: Partial<typeof filter>) => setFilter({ ...filter, ...changes });
  const settled = useSettled(filter);
  return (
    <>
      <div className={styles.filters}>
        <TextField
          label={t("search")}
          type="search"
          value={filter.q}
          onChange={(event) => set({ q: event.target.value })}
        />
        <TextField
          label={t("category")}
          value={filter.category}
          onChange={(event) => set({ category: event.target.value })}
        />
        <TextField
          label={t("tag")}
          value={filter.tag}
          onChange={(event) => set({ tag: event.target.value })}
        />
        <Select label={t("type")} value={filter.type} onChange={(event) => set({ type: event.target.value })}>
          <option value="">{t("anyType")}</option>
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {kinds(type)}
            </option>
          ))}
        </Select>
      </div>
      <Found {...props} filter={settled} />
    </>
  );
}

function Found({
  chosen,
  picked,
  onPick,
  filter,
}: SearchProps & { filter: Record<"q" | "category" | "tag" | "type", string> }) {
  const t = useTranslations("builder.picker");
  const c = useTranslations("common");
  const { data, error, isLoading, isFetching, refetch, hasNextPage, fetchNextPage } =
    useBankPagesInfiniteQuery({
      q: filter.q.trim(),
      category: filter.category.trim(),
      tag: filter.tag.trim(),
      type: (filter.type || null) as ListQuestionsApiArg["type"],
    });
  const found = data?.pages.flatMap(({ items }) => items) ?? [];
  const open = found.filter(({ id }) => !chosen.has(id));
  const all = open.length > 0 && open.every(({ id }) => picked.has(id));
  const toggle = (questions: Question[], on: boolean) => {
    const next = new Map(picked);
    for (const one of questions) on ? next.set(one.id, one) : next.delete(one.id);
    onPick(next);
  };
  if (isLoading) return <Loading>{c("loading")}</Loading>;
  if (error && !data) return <Problem error={error} onRetry={refetch} />;
  if (!found.length) return <Hint>{t("none")}</Hint>;
  return (
    <>
      <Checkbox
        checked={all}
        disabled={!open.length}
        label={t("all", { count: open.length })}
        onChange={(on) => toggle(open, on)}
      />
      <ul className={styles.picks} aria-label={t("title")} aria-busy={isFetching}>
        {found.map((question) => (
          <li key={question.id}>
            <Pick
              question={question}
              inExam={chosen.has(question.id)}
              picked={picked.has(question.id)}
              onToggle={(on) => toggle([question], on)}
            />
          </li>
        ))}
      </ul>
      {hasNextPage ? (
        <div>
          <Button small busy={isFetching} onClick={() => fetchNextPage()}>
            {c("more")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

interface PickProps {
  question: Question;
  inExam: boolean;
  picked: boolean;
  onToggle: (on: boolean) => void;
}

function Pick({ question, inExam, picked, onToggle }: PickProps) {
  const t = useTranslations("builder");
  const facts = [
    inExam ? t("picker.inExam") : "",
    t(`questions.type.${question.type}`),
    t("questions.worth", { points: question.points }),
    question.category,
    ...question.tags,
  ];
  return (
    <Checkbox
      checked={picked || inExam}
      disabled={inExam}
      label={
        <span className={styles.clamped} dir="auto">
          {question.text}
        </span>
      }
      hint={<bdi>{facts.filter(Boolean).join(" · ")}</bdi>}
      onChange={onToggle}
    />
  );
}

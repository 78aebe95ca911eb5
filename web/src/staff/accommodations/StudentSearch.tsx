"use client";
/** Finds students by name or address; what is done with one is the caller's. */
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { User } from "@/api/staff.gen";
import { useStudentPagesInfiniteQuery } from "@/api/staff-exams";
import { Button, Hint, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import styles from "../exams/exams.module.css";
import { useSettled } from "../queryState";

interface Props {
  label: ReactNode;
  action: (student: User) => ReactNode;
}

export function StudentSearch({ label, action }: Props) {
  const t = useTranslations("builder.search");
  const c = useTranslations("common");
  const [text, setText] = useState("");
  const q = useSettled(text.trim());
  const { data, error, isFetching, hasNextPage, fetchNextPage, refetch } = useStudentPagesInfiniteQuery(
    { q },
    { skip: !q },
  );
  const found = q ? (data?.pages.flatMap(({ items }) => items) ?? []) : [];
  return (
    <div className={styles.head}>
      <TextField
        label={label}
        hint={t("hint")}
        type="search"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {error ? <Problem error={error} onRetry={refetch} /> : null}
      <p className="visually-hidden" role="status">
        {q && data && !isFetching ? t("found", { count: found.length }) : ""}
      </p>
      {q && data && !isFetching && !found.length ? <Hint>{t("nobody")}</Hint> : null}
      {found.length ? (
        <ul className={styles.people}>
          {found.map((student) => (
            <li key={student.id}>
              <span className={styles.who}>
                <span dir="auto">{student.name}</span>
                <span className={styles.soft}>{[student.email, ...student.groups].join(" · ")}</span>
              </span>
              {action(student)}
            </li>
          ))}
        </ul>
      ) : null}
      {q && hasNextPage ? (
        <div>
          <Button small busy={isFetching} onClick={() => fetchNextPage()}>
            {c("more")}
          </Button>
        </div>
      ) : null}
    </div>
  );
}

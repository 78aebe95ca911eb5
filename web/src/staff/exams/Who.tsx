"use client";
/** Who may sit an exam: everyone, or groups and students. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import { useGetUserQuery } from "@/api/staff-exams";
import { Badge, Button, Hint, Note } from "@/ui";
import { Choices } from "@/ui/Choices";
import { TokenField } from "@/ui/TokenField";
import { StudentSearch } from "../accommodations/StudentSearch";
import styles from "./exams.module.css";
import type { SectionProps } from "./fields";

export function Who(props: SectionProps) {
  const t = useTranslations("builder.who");
  const { form, frozen, complaint } = props;
  const { everyone } = form.draft;
  return (
    <>
      {frozen ? <Hint>{t("whenPublished")}</Hint> : null}
      <Choices
        legend={t("legend")}
        options={[
          { value: "everyone", label: t("everyone"), hint: t("everyoneHint") },
          { value: "chosen", label: t("chosen"), hint: t("chosenHint") },
        ]}
        value={everyone ? "everyone" : "chosen"}
        onChange={(value) => form.set({ everyone: value === "everyone" })}
      />
      {everyone ? null : (
        <>
          <TokenField
            label={t("groups")}
            hint={t("groupsHint")}
            values={form.draft.groups}
            error={complaint("groups")}
            onChange={(groups) => form.set({ groups })}
          />
          <Students {...props} />
          {complaint("student_ids") ? (
            <Note tone="bad" live>
              {complaint("student_ids")}
            </Note>
          ) : null}
        </>
      )}
    </>
  );
}

const SHOWN_AT_FIRST = 30;

function Students({ form }: SectionProps) {
  const t = useTranslations("builder.who");
  const c = useTranslations("common");
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  const ids = form.draft.student_ids;
  return (
    <section className={styles.head}>
      <h3>{t("students", { count: ids.length })}</h3>
      {ids.length ? (
        <ul className={styles.people}>
          {ids.slice(0, shown).map((id) => (
            <Student
              key={id}
              id={id}
              onRemove={() => form.set({ student_ids: ids.filter((one) => one !== id) })}
            />
          ))}
        </ul>
      ) : null}
      {ids.length > shown ? (
        <div>
          <Button small onClick={() => setShown(shown + SHOWN_AT_FIRST)}>
            {c("more")}
          </Button>
        </div>
      ) : null}
      <StudentSearch
        label={t("findStudent")}
        action={({ id, name }) =>
          ids.includes(id) ? (
            <Badge tone="good">{t("added")}</Badge>
          ) : (
            <Button
              small
              aria-label={t("addNamed", { name })}
              onClick={() => form.set({ student_ids: [...ids, id] })}
            >
              {t("add")}
            </Button>
          )
        }
      />
    </section>
  );
}

function Student({ id, onRemove }: { id: string; onRemove: () => void }) {
  const t = useTranslations("builder.who");
  const { data } = useGetUserQuery({ userId: id });
  const name = data?.name || data?.email || id;
  return (
    <li>
      <span className={styles.who}>
        <span dir="auto">{name}</span>
        <span className={styles.soft}>{data?.email}</span>
      </span>
      <Button small look="quiet" aria-label={t("remove", { name })} onClick={onRemove}>
        {t("take")}
      </Button>
    </li>
  );
}

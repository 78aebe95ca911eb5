"use client";
/** Question by question: what was asked, what was answered, what it earned. */
import { useFormatter, useTranslations } from "use-intl";
import type { MyResultItem } from "@/api/student.gen";
import { Media } from "@/questions/Media";
import { RichText } from "@/text/RichText";
import { Badge, Card, type Tone } from "@/ui";
import { Given, Right, type Shown } from "./answers";
import styles from "./student.module.css";

export function ResultItems({ items }: { items: MyResultItem[] }) {
  const ordered = items.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
  return (
    <ol className={styles.items}>
      {ordered.map((item, place) => (
        <li key={item.question_id}>
          <OneItem item={item} number={place + 1} />
        </li>
      ))}
    </ol>
  );
}

function OneItem({ item, number }: { item: MyResultItem; number: number }) {
  const t = useTranslations("results");
  const q = useTranslations("questions");
  const shown: Shown = { type: item.type, options: item.options ?? [] };
  return (
    <Card>
      <article className={styles.exam}>
        <div className={styles.examHead}>
          <h3>{q("heading", { number })}</h3>
          <Verdict item={item} />
        </div>
        {item.question_text ? <RichText text={item.question_text} /> : null}
        {item.media ? <Media media={item.media} /> : null}
        <dl className={item.correct_answer ? `${styles.answers} ${styles.pair}` : styles.answers}>
          <div>
            <dt>{t("yourAnswer")}</dt>
            <dd>
              <Given answer={item.answer} shown={shown} />
            </dd>
          </div>
          {item.correct_answer ? (
            <div>
              <dt>{t("correctAnswer")}</dt>
              <dd>
                <Right answer={item.correct_answer} shown={shown} />
              </dd>
            </div>
          ) : null}
        </dl>
        <Words title={t("explanation")} text={item.explanation} />
        <Words title={t("comment")} text={item.comment} />
      </article>
    </Card>
  );
}

function Words({ title, text }: { title: string; text: string | null }) {
  if (!text) return null;
  return (
    <dl className={styles.answers}>
      <div>
        <dt>{title}</dt>
        <dd>
          <RichText text={text} />
        </dd>
      </div>
    </dl>
  );
}

function Verdict({ item }: { item: MyResultItem }) {
  const t = useTranslations("results");
  const format = useFormatter();
  const [tone, verdict] = verdictOf(item);
  return (
    <span className={styles.facts}>
      {item.score !== null ? (
        <span>{t("ofPoints", { score: item.score, most: item.max_score })}</span>
      ) : (
        <span>{t("upTo", { points: format.number(item.max_score) })}</span>
      )}
      <Badge tone={tone}>{t(`verdicts.${verdict}`)}</Badge>
    </span>
  );
}

type VerdictName = "excluded" | "pending" | "correct" | "partly" | "wrong" | "unanswered" | "marked";

export function verdictOf(item: MyResultItem): [Tone, VerdictName] {
  if (item.status === "excluded") return ["plain", "excluded"];
  if (item.status === "pending") return ["warn", "pending"];
  if (item.is_correct) return ["good", "correct"];
  if (item.answer === null) return ["plain", "unanswered"];
  if (item.score !== null && item.score > 0)
    return ["accent", item.is_correct === null ? "marked" : "partly"];
  return item.is_correct === null ? ["plain", "marked"] : ["bad", "wrong"];
}

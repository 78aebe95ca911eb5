"use client";
/** Questions of the bank: a table where there is room, else cards. */
import Link from "next/link";
import { useFormatter, useTranslations } from "use-intl";
import type { Question } from "@/api/staff.gen";
import { useWide } from "@/staff/useWide";
import { Badge, Card, Hint, Row, Table } from "@/ui";
import styles from "./bank.module.css";

interface Props {
  questions: Question[];
  /** These are of an earlier search; the next ones are on their way. */
  stale: boolean;
}

export function QuestionList({ questions, stale }: Props) {
  const t = useTranslations("bank");
  const wide = useWide();
  return (
    <div aria-busy={stale} className={stale ? styles.stale : undefined}>
      {wide ? (
        <Table
          caption={t("title")}
          head={[t("question"), t("type"), t("category"), t("tags"), t("points"), t("version")]}
        >
          {questions.map((one) => (
            <QuestionRow key={one.id} question={one} />
          ))}
        </Table>
      ) : (
        <ul className={styles.cards}>
          {questions.map((one) => (
            <li key={one.id}>
              <QuestionCard question={one} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function QuestionLink({ question }: { question: Question }) {
  return (
    <Link
      href={`/admin/questions/edit/?id=${question.id}`}
      prefetch={false}
      dir="auto"
      className={styles.excerpt}
    >
      {question.text}
    </Link>
  );
}

function QuestionRow({ question }: { question: Question }) {
  const t = useTranslations("bank");
  const format = useFormatter();
  return (
    <tr>
      <th scope="row" className={styles.text}>
        <QuestionLink question={question} />
      </th>
      <td>{t(`types.${question.type}`)}</td>
      <td>
        <bdi>{question.category}</bdi>
      </td>
      <td>
        <Tags tags={question.tags} />
      </td>
      <td className={styles.number}>{format.number(question.points)}</td>
      <td className={styles.number}>{format.number(question.version)}</td>
    </tr>
  );
}

function QuestionCard({ question }: { question: Question }) {
  const t = useTranslations("bank");
  return (
    <Card>
      <QuestionLink question={question} />
      <Row>
        <Badge tone="accent">{t(`types.${question.type}`)}</Badge>
        <Hint>{t("pointsCount", { points: question.points })}</Hint>
        {question.category ? (
          <Hint>
            <bdi>{question.category}</bdi>
          </Hint>
        ) : null}
      </Row>
      <Tags tags={question.tags} />
    </Card>
  );
}

function Tags({ tags }: { tags: string[] }) {
  return (
    <span className={styles.tags}>
      {tags.map((one) => (
        <Badge key={one}>
          <bdi>{one}</bdi>
        </Badge>
      ))}
    </span>
  );
}

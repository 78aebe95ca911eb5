"use client";
/** One entry of the audit trail. */
import Link from "next/link";
import { useFormatter, useTranslations } from "use-intl";
import type { Entry } from "@/api/staff.gen";
import { Button, Table } from "@/ui";
import exams from "../exams/exams.module.css";
import { useQueryState } from "../queryState";
import styles from "./audit.module.css";
import { changes, keyOf, placeOf } from "./words";

export function EntryRow({ entry }: { entry: Entry }) {
  const t = useTranslations("audit");
  const format = useFormatter();
  const action = `actions.${keyOf(entry.action)}`;
  const at = format.dateTime(new Date(entry.at), {
    dateStyle: "medium",
    timeStyle: "long",
  });
  return (
    <li className={exams.exam}>
      <div className={styles.what}>
        <b>{t.has(action) ? t(action) : entry.action}</b>
        <time dateTime={entry.at} className={exams.soft}>
          {at}
        </time>
      </div>
      <div className={exams.facts}>
        <Who entry={entry} />
        <What entry={entry} />
      </div>
      {entry.reason ? <p dir="auto">{t("reason", { reason: entry.reason })}</p> : null}
      <Details entry={entry} />
    </li>
  );
}

function Who({ entry }: { entry: Entry }) {
  const t = useTranslations("audit");
  const [params, change] = useQueryState();
  const { actor_id, actor_name } = entry;
  if (!actor_id) return <span>{t("byService", { name: actor_name ?? entry.service })}</span>;
  const name = actor_name ?? actor_id;
  return (
    <span className={styles.who}>
      <span>{t("by", { name })}</span>
      {params.get("actor") === actor_id ? null : (
        <Button
          small
          look="quiet"
          aria-label={t("onlyThisNamed", { name })}
          onClick={() => change({ actor: actor_id })}
        >
          {t("onlyThis")}
        </Button>
      )}
    </span>
  );
}

function What({ entry }: { entry: Entry }) {
  const t = useTranslations("audit");
  const { object_type, object_id } = entry;
  const word = t.has(`objects.${object_type}`) ? t(`objects.${object_type}`) : object_type;
  const place = entry.action === "exam.deleted" ? null : placeOf(object_type, object_id);
  return (
    <span className={styles.object}>
      {word}{" "}
      {place ? (
        <Link href={place} prefetch={false}>
          <bdi>{object_id}</bdi>
        </Link>
      ) : (
        <bdi>{object_id}</bdi>
      )}
    </span>
  );
}

function Details({ entry }: { entry: Entry }) {
  const t = useTranslations("audit");
  const found = changes(entry.before, entry.after);
  if (!found.length && !entry.request_id) return null;
  return (
    <details>
      <summary className={styles.summary}>{t("details")}</summary>
      {found.length ? (
        <Table caption={t("details")} head={[t("field"), t("before"), t("after")]}>
          {found.map(({ name, before, after }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className={styles.value} dir="auto">
                {before || "–"}
              </td>
              <td className={styles.value} dir="auto">
                {after || "–"}
              </td>
            </tr>
          ))}
        </Table>
      ) : null}
      {entry.request_id ? (
        <p className={exams.soft}>
          {t("request")} <bdi>{entry.request_id}</bdi>
        </p>
      ) : null}
    </details>
  );
}

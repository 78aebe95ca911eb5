"use client";
/** People: a table where there is room, else cards. */
import Link from "next/link";
import { useTranslations } from "use-intl";
import type { User } from "@/api/staff.gen";
import { useWide } from "@/staff/useWide";
import { Badge, Card, Hint, Row, Stack, Table } from "@/ui";
import styles from "./people.module.css";

export function PeopleList({ people, stale }: { people: User[]; stale: boolean }) {
  const t = useTranslations("people");
  const wide = useWide();
  return (
    <div aria-busy={stale} className={stale ? styles.stale : undefined}>
      {wide ? (
        <Table caption={t("title")} head={[t("name"), t("email"), t("role"), t("groups"), t("state")]}>
          {people.map((person) => (
            <tr key={person.id}>
              <th scope="row" className={styles.name}>
                <PersonLink person={person} />
              </th>
              <td className={styles.email}>
                <bdi>{person.email}</bdi>
              </td>
              <td>{t(`roles.${person.role}`)}</td>
              <td>
                <Groups groups={person.groups} />
              </td>
              <td>
                <States person={person} />
              </td>
            </tr>
          ))}
        </Table>
      ) : (
        <ul className={styles.cards}>
          {people.map((person) => (
            <li key={person.id}>
              <PersonCard person={person} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function PersonCard({ person }: { person: User }) {
  const t = useTranslations("people");
  return (
    <Card>
      <Stack>
        <div>
          <PersonLink person={person} />
          <Hint>
            <bdi className={styles.email}>{person.email}</bdi>
          </Hint>
        </div>
        <Row>
          <Badge>{t(`roles.${person.role}`)}</Badge>
          <States person={person} />
        </Row>
        {person.groups.length ? <Groups groups={person.groups} /> : null}
      </Stack>
    </Card>
  );
}

function PersonLink({ person }: { person: User }) {
  return (
    <Link href={`/admin/people/edit/?id=${person.id}`} prefetch={false}>
      <bdi>{person.name}</bdi>
    </Link>
  );
}

function Groups({ groups }: { groups: string[] }) {
  return (
    <span className={styles.groups}>
      {groups.map((one) => (
        <Badge key={one}>
          <bdi>{one}</bdi>
        </Badge>
      ))}
    </span>
  );
}

function States({ person }: { person: User }) {
  const t = useTranslations("people");
  return (
    <span className={styles.groups}>
      <Badge tone={person.active ? "good" : "bad"}>{person.active ? t("active") : t("inactive")}</Badge>
      {person.has_password ? null : <Badge tone="warn">{t("noPassword")}</Badge>}
    </span>
  );
}

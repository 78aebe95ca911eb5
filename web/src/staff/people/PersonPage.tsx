"use client";
/** Adding a person, or changing one. */
import { useRouter, useSearchParams } from "next/navigation";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { useGetUserQuery } from "@/api/staff-content";
import type { User as Me } from "@/session/token";
import { BackLink } from "@/staff/BackLink";
import { StaffPage } from "@/staff/StaffPage";
import { Badge, ButtonLink, Card, Hint, Loading, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { ActiveSwitch } from "./ActiveSwitch";
import { NewPersonForm } from "./NewPersonForm";
import { PasswordLinkMaker } from "./PasswordLinkMaker";
import { PersonForm } from "./PersonForm";

export function PersonPage() {
  return <StaffPage part="people">{(me) => <Person me={me} />}</StaffPage>;
}

function Person({ me }: { me: Me }) {
  const t = useTranslations("people");
  const router = useRouter();
  const id = useSearchParams().get("id");
  const [addedId, setAddedId] = useState<string | null>(null);
  return (
    <Stack>
      <BackLink href="/admin/people/">{t("toPeople")}</BackLink>
      {id ? (
        <Existing key={id} id={id} me={me} added={id === addedId} />
      ) : (
        <NewPersonForm
          onAdded={(person) => {
            setAddedId(person.id);
            router.replace(`/admin/people/edit/?id=${person.id}`);
          }}
        />
      )}
    </Stack>
  );
}

function Existing({ id, me, added }: { id: string; me: Me; added: boolean }) {
  const t = useTranslations("people");
  const c = useTranslations("common");
  const { data: person, error, refetch } = useGetUserQuery({ userId: id });
  if (!person) {
    return error ? <Problem error={error} onRetry={refetch} /> : <Loading>{c("loading")}</Loading>;
  }
  return (
    <>
      <Row>
        <PageTitle>
          <bdi>{person.name}</bdi>
        </PageTitle>
        <Badge tone={person.active ? "good" : "bad"}>{person.active ? t("active") : t("inactive")}</Badge>
        {added ? <span role="status">{t("added")}</span> : null}
      </Row>
      <Card>
        <PersonForm person={person} self={person.id === me.id} />
      </Card>
      <Card>
        <PasswordLinkMaker person={person} />
      </Card>
      {person.role === "student" ? (
        <Card>
          <Stack>
            <h2>{t("accommodations")}</h2>
            <Hint>{t("accommodationsHint")}</Hint>
            <div>
              <ButtonLink href={`/admin/people/accommodations/?student=${person.id}`}>
                {t("toAccommodations")}
              </ButtonLink>
            </div>
          </Stack>
        </Card>
      ) : null}
      {person.id === me.id ? null : (
        <Card>
          <ActiveSwitch person={person} />
        </Card>
      )}
    </>
  );
}

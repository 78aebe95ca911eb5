"use client";
/** The people: search, filters, and who was found, page by page. */
import { useTranslations } from "use-intl";
import type { ListUsersApiArg } from "@/api/staff.gen";
import { useUserPagesInfiniteQuery } from "@/api/staff-content";
import { StaffPage } from "@/staff/StaffPage";
import { useFilters } from "@/staff/useFilters";
import { Button, ButtonLink, Card, Loading, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { FILTERS, PeopleFilters } from "./PeopleFilters";
import { PeopleList } from "./PeopleList";
import { roleOf } from "./RoleOptions";

export function PeoplePage() {
  return <StaffPage part="people">{() => <People />}</StaffPage>;
}

function People() {
  const t = useTranslations("people");
  const c = useTranslations("common");
  const filters = useFilters(FILTERS);
  const found = useUserPagesInfiniteQuery(asked(filters.values));
  const people = found.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = FILTERS.some((name) => filters.values[name]);
  return (
    <Stack>
      <Row>
        <PageTitle>{t("title")}</PageTitle>
        <ButtonLink look="primary" href="/admin/people/edit/">
          {t("new")}
        </ButtonLink>
        <ButtonLink href="/admin/imports/">{t("import")}</ButtonLink>
      </Row>
      <PeopleFilters filters={filters} groups={people.flatMap((one) => one.groups)} />
      {found.error ? <Problem error={found.error} onRetry={found.refetch} /> : null}
      {!found.data && !found.error ? <Loading>{c("loading")}</Loading> : null}
      {found.currentData && !people.length ? (
        <Card>
          <p role="status">{filtered ? t("nobodyFound") : t("nobody")}</p>
        </Card>
      ) : null}
      {people.length ? <PeopleList people={people} stale={found.currentData === undefined} /> : null}
      {found.hasNextPage ? (
        <div>
          <Button busy={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
            {c("more")}
          </Button>
        </div>
      ) : null}
    </Stack>
  );
}

type Asked = Omit<ListUsersApiArg, "cursor" | "limit">;

/** From the address, which a person may have typed. */
function asked({ q, role, group, state }: Record<(typeof FILTERS)[number], string>): Asked {
  return {
    q,
    group,
    role: roleOf(role),
    active: state === "active" ? true : state === "inactive" ? false : null,
  };
}

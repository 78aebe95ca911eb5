"use client";
/** Who did what, when, to what, and why. */
import { useTranslations } from "use-intl";
import { useAuditPagesInfiniteQuery, useGetUserQuery } from "@/api/staff-exams";
import { Button, Card, Hint, Loading, Row, Select } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import exams from "../exams/exams.module.css";
import { useQueryState } from "../queryState";
import { SearchField } from "../SearchField";
import { StaffPage } from "../StaffPage";
import { EntryRow } from "./EntryRow";
import { ACTIONS, keyOf, OBJECTS } from "./words";

export function AuditPage() {
  const t = useTranslations("audit");
  return (
    <StaffPage part="audit">
      {() => (
        <>
          <PageTitle>{t("title")}</PageTitle>
          <Hint>{t("about")}</Hint>
          <Filters />
          <Trail />
        </>
      )}
    </StaffPage>
  );
}

function Filters() {
  const t = useTranslations("audit");
  const [params, change] = useQueryState();
  const choose = (name: string) => ({
    value: params.get(name) ?? "",
    onChange: (event: { target: { value: string } }) => change({ [name]: event.target.value }),
  });
  return (
    <>
      <div className={exams.filters}>
        <Select label={t("action")} {...choose("action")}>
          <option value="">{t("anyAction")}</option>
          {ACTIONS.map((one) => (
            <option key={one} value={one}>
              {t(`actions.${keyOf(one)}`)}
            </option>
          ))}
        </Select>
        <Select label={t("object")} {...choose("type")}>
          <option value="">{t("anyObject")}</option>
          {OBJECTS.map((one) => (
            <option key={one} value={one}>
              {t(`objects.${one}`)}
            </option>
          ))}
        </Select>
        <SearchField name="object" label={t("objectId")} />
      </div>
      <Actor />
    </>
  );
}

/** One person's doings: chosen from an entry, ended here. */
function Actor() {
  const t = useTranslations("audit");
  const [params, change] = useQueryState();
  const actor = params.get("actor");
  const { currentData } = useGetUserQuery({ userId: actor ?? "" }, { skip: !actor });
  if (!actor) return null;
  return (
    <Row>
      <span>{t("onlyOf", { name: currentData?.name || currentData?.email || actor })}</span>
      <Button small onClick={() => change({ actor: null })}>
        {t("ofAll")}
      </Button>
    </Row>
  );
}

function Trail() {
  const t = useTranslations("audit");
  const c = useTranslations("common");
  const [params] = useQueryState();
  const { currentData, error, isFetching, refetch, hasNextPage, fetchNextPage } = useAuditPagesInfiniteQuery(
    {
      actorId: params.get("actor"),
      objectType: params.get("type") ?? "",
      objectId: (params.get("object") ?? "").trim(),
      action: params.get("action") ?? "",
    },
    { refetchOnMountOrArgChange: true },
  );
  if (error && !currentData) return <Problem error={error} onRetry={refetch} />;
  if (!currentData) return <Loading>{c("loading")}</Loading>;
  const entries = currentData.pages.flatMap(({ items }) => items);
  if (!entries.length) {
    return (
      <Card>
        <p role="status">{t("none")}</p>
      </Card>
    );
  }
  return (
    <>
      <ol className={exams.list} aria-label={t("title")}>
        {entries.map((entry) => (
          <EntryRow key={entry.id} entry={entry} />
        ))}
      </ol>
      {error ? <Problem error={error} onRetry={fetchNextPage} /> : null}
      {hasNextPage ? (
        <div>
          <Button busy={isFetching} onClick={() => fetchNextPage()}>
            {c("more")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

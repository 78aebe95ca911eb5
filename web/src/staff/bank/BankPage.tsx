"use client";
/** The question bank: search, filters, and what was found, page by page. */
import { useTranslations } from "use-intl";
import { useQuestionPagesInfiniteQuery } from "@/api/staff-content";
import { StaffPage } from "@/staff/StaffPage";
import { useFilters } from "@/staff/useFilters";
import { Button, ButtonLink, Card, Loading, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { BankFilters, FILTERS } from "./BankFilters";
import { QuestionList } from "./QuestionList";
import { isType } from "./types";

export function BankPage() {
  return <StaffPage part="questions">{() => <Bank />}</StaffPage>;
}

function Bank() {
  const t = useTranslations("bank");
  const c = useTranslations("common");
  const filters = useFilters(FILTERS);
  const { q, category, tag, type } = filters.values;
  const found = useQuestionPagesInfiniteQuery({ q, category, tag, type: isType(type) ? type : null });
  const questions = found.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Boolean(q || category || tag || type);
  return (
    <Stack>
      <Row>
        <PageTitle>{t("title")}</PageTitle>
        <ButtonLink look="primary" href="/admin/questions/edit/">
          {t("new")}
        </ButtonLink>
        <ButtonLink href="/admin/imports/">{t("import")}</ButtonLink>
      </Row>
      <BankFilters filters={filters} questions={questions} />
      {found.error ? <Problem error={found.error} onRetry={found.refetch} /> : null}
      {!found.data && !found.error ? <Loading>{c("loading")}</Loading> : null}
      {found.currentData && !questions.length ? (
        <Card>
          <p role="status">{filtered ? t("nothingFound") : t("empty")}</p>
        </Card>
      ) : null}
      {questions.length ? (
        <QuestionList questions={questions} stale={found.currentData === undefined} />
      ) : null}
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

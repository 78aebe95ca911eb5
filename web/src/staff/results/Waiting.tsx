"use client";
/** How many answers of an exam wait for a marker. */
import { useTranslations } from "use-intl";
import { useQueuePagesInfiniteQuery } from "@/api/staff-exams";
import { ButtonLink, Note, Row } from "@/ui";

export function Waiting({ examId }: { examId: string }) {
  const t = useTranslations("builder.results");
  const { data } = useQueuePagesInfiniteQuery({ examId }, { refetchOnMountOrArgChange: true });
  const total = data?.pages[0]?.total ?? 0;
  if (!total) return null;
  return (
    <Note tone="warn">
      <Row>
        <span>{t("waiting", { count: total })}</span>
        <ButtonLink small href={`/admin/marking/?exam=${examId}`}>
          {t("toMarking")}
        </ButtonLink>
      </Row>
    </Note>
  );
}

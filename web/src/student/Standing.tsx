"use client";
/** How far a result is. */
import { useTranslations } from "use-intl";
import type { MyResultSummary } from "@/api/student.gen";
import { Badge } from "@/ui";

export function Standing({
  result,
}: {
  result: Pick<MyResultSummary, "grading" | "released" | "pending_count">;
}) {
  const t = useTranslations("results");
  if (result.grading === "pending" && result.pending_count === 0)
    return <Badge tone="warn">{t("grading")}</Badge>;
  if (!result.released) return <Badge>{t("withheld")}</Badge>;
  return result.pending_count ? (
    <Badge tone="warn">{t("marking", { count: result.pending_count })}</Badge>
  ) : (
    <Badge tone="good">{t("complete")}</Badge>
  );
}

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
  if (result.grading === "pending") {
    return (
      <Badge tone="warn">
        {result.pending_count ? t("marking", { count: result.pending_count }) : t("grading")}
      </Badge>
    );
  }
  return result.released ? <Badge tone="good">{t("complete")}</Badge> : <Badge>{t("withheld")}</Badge>;
}

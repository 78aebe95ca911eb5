"use client";
/** A score as people read it: points of points, and the share. */
import { useFormatter, useTranslations } from "use-intl";

interface Scored {
  total_score: number | null;
  max_possible: number;
  percentage: number | null;
}

export function useScore(): (result: Scored) => string {
  const t = useTranslations("results");
  const format = useFormatter();
  return ({ total_score: score, max_possible: most, percentage }) => {
    const points = t("ofPoints", { score: score ?? 0, most });
    if (percentage === null) return points;
    const share = format.number(percentage / 100, { style: "percent", maximumFractionDigits: 1 });
    return `${points} · ${share}`;
  };
}

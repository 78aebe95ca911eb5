"use client";
/** Why a workbook was not taken, said with what to do about it. */
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import { Note } from "@/ui";
import { Problem } from "@/ui/Problem";
import { Said } from "./Said";

export function SendProblem({ error }: { error: unknown }) {
  const t = useTranslations("imports");
  const status = isProblem(error) ? error.status : null;
  if (status !== 413 && status !== 415) return <Problem error={error} />;
  return (
    <Note tone="bad" live>
      <p>{status === 413 ? t("file.tooLarge") : t("file.notWorkbook")}</p>
      {isProblem(error) && error.detail ? <Said text={error.detail} /> : null}
    </Note>
  );
}

"use client";
import { useTranslations } from "use-intl";
import type { Job } from "@/api/staff.gen";
import { DownloadButton } from "./DownloadButton";

export function TemplateLink({ kind }: { kind: Job["kind"] }) {
  const t = useTranslations("imports");
  return (
    <DownloadButton
      key={kind}
      url={`/api/v1/admin/imports/template.xlsx?kind=${kind}`}
      filename={`${kind}-template.xlsx`}
    >
      {t("template")}
    </DownloadButton>
  );
}

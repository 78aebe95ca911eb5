"use client";
/** In place of a page that broke: what is kept, and the way on. The people who run the exam hear of it. */
import { useEffect } from "react";
import { useTranslations } from "use-intl";
import { reportFault } from "@/report";
import { Button, Card, Stack } from ".";
import { PageTitle, Shell } from "./Shell";

export function Crash({ error, home, text }: { error: Error; home: string; text: "crash" | "crashStaff" }) {
  const t = useTranslations("common");
  useEffect(() => reportFault("render", error), [error]);
  return (
    <Shell home={home}>
      <Card>
        <Stack>
          <PageTitle>{t("crashTitle")}</PageTitle>
          <p>{t(text)}</p>
          <div>
            <Button look="primary" onClick={() => window.location.reload()}>
              {t("reload")}
            </Button>
          </div>
        </Stack>
      </Card>
    </Shell>
  );
}

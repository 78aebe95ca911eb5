"use client";
import { useTranslations } from "use-intl";
import { ButtonLink, Card, Stack } from ".";
import { Shell } from "./Shell";

export function NotFound() {
  const t = useTranslations("common");
  return (
    <Shell home="/">
      <Card>
        <Stack>
          <h1>{t("notFoundTitle")}</h1>
          <p>{t("notFound")}</p>
          <div>
            <ButtonLink href="/">{t("home")}</ButtonLink>
          </div>
        </Stack>
      </Card>
    </Shell>
  );
}

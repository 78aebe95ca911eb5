"use client";
/** Where there is no exam to sit: why, and the way back. */
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ApiProblem } from "@/api/problem";
import { Button, ButtonLink, Card, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { Receipt } from "./Receipt";
import { isTriedAgain, type Place } from "./useOpening";

export function Outcome({
  place,
  onRetry,
}: {
  place: Exclude<Place, { kind: "loading" | "sitting" }>;
  onRetry: () => void;
}) {
  const t = useTranslations("sitting");
  if (place.kind === "closed") return <Receipt submitted={place.submitted} by={place.by} title={null} />;
  return (
    <Told title={t(`outcome.${place.kind}.title`)} onRetry={place.kind === "none" ? undefined : onRetry}>
      {place.kind === "failed" ? (
        <Failed problem={place.problem} />
      ) : (
        <p>{t(`outcome.${place.kind}.text`)}</p>
      )}
    </Told>
  );
}

function Failed({ problem }: { problem: ApiProblem }) {
  const t = useTranslations("sitting");
  const bySelf = isTriedAgain(problem);
  return (
    <>
      <Problem error={problem} bySelf={bySelf} />
      {bySelf ? <p>{t("outcome.failed.text")}</p> : null}
    </>
  );
}

export function Told({
  title,
  onRetry,
  children,
}: {
  title: string;
  onRetry?: (() => void) | undefined;
  children: ReactNode;
}) {
  const t = useTranslations("sitting");
  const c = useTranslations("common");
  return (
    <Card>
      <Stack>
        <PageTitle>{title}</PageTitle>
        {children}
        <Row>
          <ButtonLink href="/">{t("toExams")}</ButtonLink>
          {onRetry ? <Button onClick={onRetry}>{c("retry")}</Button> : null}
        </Row>
      </Stack>
    </Card>
  );
}

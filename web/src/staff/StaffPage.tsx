"use client";
/** A page for staff: logs in who is not, sends students to theirs; links to the parts. */
import Link from "next/link";
import type { ReactNode } from "react";
import { useDispatch } from "react-redux";
import { useTranslations } from "use-intl";
import { LoginForm } from "@/session/LoginForm";
import { logout } from "@/session/logout";
import type { User } from "@/session/token";
import { useSession } from "@/session/useSession";
import type { AppDispatch } from "@/store";
import { ButtonLink, Loading, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle, Shell } from "@/ui/Shell";

export const PARTS = {
  exams: "/admin/",
  questions: "/admin/questions/",
  imports: "/admin/imports/",
  people: "/admin/people/",
  marking: "/admin/marking/",
  audit: "/admin/audit/",
} as const;

export type Part = keyof typeof PARTS;

export function StaffPage({ part, children }: { part: Part; children: (user: User) => ReactNode }) {
  const c = useTranslations("common");
  const t = useTranslations("session");
  const a = useTranslations("admin");
  const dispatch = useDispatch<AppDispatch>();
  const found = useSession();
  if (found.state === "unknown") {
    return (
      <Shell home={PARTS.exams} title={a("title")}>
        <Loading>{c("loading")}</Loading>
      </Shell>
    );
  }
  if (found.state === "out") {
    const away = found.problem !== null && found.problem.status !== 401;
    return (
      <Shell home={PARTS.exams} title={a("title")}>
        {away ? <Problem error={found.problem} onRetry={() => window.location.reload()} /> : null}
        <LoginForm />
      </Shell>
    );
  }
  const { user } = found.session;
  const onLogout = () => logout(dispatch);
  if (user.role === "student") {
    return (
      <Shell home={PARTS.exams} title={a("title")} user={{ name: user.name || user.email, onLogout }}>
        <Stack>
          <PageTitle>{t("forStaff")}</PageTitle>
          <p>{t("studentHere")}</p>
          <div>
            <ButtonLink href="/">{t("toStudent")}</ButtonLink>
          </div>
        </Stack>
      </Shell>
    );
  }
  const nav = (Object.keys(PARTS) as Part[]).map((one) => (
    <Link key={one} href={PARTS[one]} aria-current={one === part ? "page" : undefined} prefetch={false}>
      {a(one)}
    </Link>
  ));
  return (
    <Shell home={PARTS.exams} title={a("title")} nav={nav} user={{ name: user.name || user.email, onLogout }}>
      {children(user)}
    </Shell>
  );
}

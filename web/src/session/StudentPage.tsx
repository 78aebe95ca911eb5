"use client";
/** A page for students: logs in who is not, sends staff to theirs. */
import Link from "next/link";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { useDispatch } from "react-redux";
import { useTranslations } from "use-intl";
import type { AppDispatch } from "@/store";
import { ButtonLink, Loading, Note, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle, Shell } from "@/ui/Shell";
import { LoginForm } from "./LoginForm";
import { logout } from "./logout";
import type { User } from "./token";
import { useSession } from "./useSession";

const PARTS = { exams: "/", results: "/results/", practice: "/practice/" } as const;

interface Props {
  /** For staff, too: what belongs to a person, not to a student. */
  forAll?: boolean;
  children: (user: User) => ReactNode;
}

export function StudentPage({ forAll = false, children }: Props) {
  const c = useTranslations("common");
  const dispatch = useDispatch<AppDispatch>();
  const found = useSession();
  if (found.state === "unknown") {
    return (
      <Shell home="/">
        <Loading>{c("loading")}</Loading>
      </Shell>
    );
  }
  if (found.state === "out") {
    const away = found.problem !== null && found.problem.status !== 401;
    return (
      <Shell home="/">
        {away ? <Problem error={found.problem} onRetry={() => window.location.reload()} /> : null}
        <LoginForm />
      </Shell>
    );
  }
  const { user } = found.session;
  const student = user.role === "student";
  return (
    <Shell
      home={student ? "/" : "/admin/"}
      nav={student ? <Parts /> : undefined}
      user={{ name: user.name || user.email, onLogout: () => logout(dispatch) }}
    >
      {student || forAll ? children(user) : <ForStudentsOnly />}
    </Shell>
  );
}

function Parts() {
  const t = useTranslations("session");
  const here = usePathname();
  return (Object.keys(PARTS) as (keyof typeof PARTS)[]).map((part) => (
    <Link
      key={part}
      href={PARTS[part]}
      prefetch={false}
      aria-current={here === PARTS[part] ? "page" : undefined}
    >
      {t(part)}
    </Link>
  ));
}

function ForStudentsOnly() {
  const t = useTranslations("session");
  return (
    <Stack>
      <PageTitle>{t("forStudents")}</PageTitle>
      <Note>
        <p>{t("staffHere")}</p>
        <div>
          <ButtonLink href="/admin/">{t("toAdmin")}</ButtonLink>
        </div>
      </Note>
    </Stack>
  );
}

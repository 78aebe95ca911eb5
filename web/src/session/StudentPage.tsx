"use client";
/** A page for students: logs in who is not, sends staff to theirs. */
import type { ReactNode } from "react";
import { useDispatch } from "react-redux";
import { useTranslations } from "use-intl";
import type { AppDispatch } from "@/store";
import { ButtonLink, Loading, Note } from "@/ui";
import { Problem } from "@/ui/Problem";
import { Shell } from "@/ui/Shell";
import { LoginForm } from "./LoginForm";
import { logout } from "./logout";
import type { User } from "./token";
import { useSession } from "./useSession";

export function StudentPage({ children }: { children: (user: User) => ReactNode }) {
  const c = useTranslations("common");
  const t = useTranslations("session");
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
  return (
    <Shell home="/" user={{ name: user.name || user.email, onLogout: () => logout(dispatch) }}>
      {user.role === "student" ? (
        children(user)
      ) : (
        <Note>
          <p>{t("staffHere")}</p>
          <div>
            <ButtonLink href="/admin/">{t("toAdmin")}</ButtonLink>
          </div>
        </Note>
      )}
    </Shell>
  );
}

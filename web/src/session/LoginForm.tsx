"use client";
import { type FormEvent, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { type ApiProblem, isProblem } from "@/api/problem";
import { useLoginMutation } from "@/api/student.gen";
import { Button, Card, Hint, Note, Stack, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import styles from "./login.module.css";
import { PasswordField } from "./PasswordField";
import { signedIn, wasLost } from "./token";

/** In place of the page that needs it: who logs in goes on there. */
export function LoginForm({ notice }: { notice?: string | undefined }) {
  const t = useTranslations("session");
  const [login, { isLoading, error }] = useLoginMutation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const passwordField = useRef<HTMLInputElement>(null);
  const told = notice ?? (wasLost() ? t("expired") : null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isLoading) return;
    const answer = await login({ login: { email, password } });
    if (answer.data) return signedIn(answer.data);
    // Without a connection or a server the password is as good as before.
    if (isProblem(answer.error) && answer.error.status === 401) setPassword("");
    passwordField.current?.focus();
  }

  return (
    <div className={styles.narrow}>
      <Card>
        <form onSubmit={submit}>
          <Stack>
            <PageTitle focus={false}>{t("title")}</PageTitle>
            {told ? (
              <Note tone="warn" live>
                {told}
              </Note>
            ) : null}
            <TextField
              label={t("email")}
              name="email"
              type="email"
              autoComplete="username"
              dir="ltr"
              required
              // Beside a page that goes on (a notice says why) it takes nobody's focus away.
              autoFocus={notice === undefined}
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
            <PasswordField
              ref={passwordField}
              label={t("password")}
              name="password"
              autoComplete="current-password"
              value={password}
              onText={setPassword}
            />
            {error ? <LoginProblem error={error} /> : null}
            <Button look="primary" type="submit" busy={isLoading}>
              {isLoading ? t("loggingIn") : t("logIn")}
            </Button>
            <Hint>{t("help")}</Hint>
          </Stack>
        </form>
      </Card>
    </div>
  );
}

function LoginProblem({ error }: { error: unknown }) {
  const t = useTranslations("session");
  const text = isProblem(error) ? said(error, t) : null;
  return text ? (
    <Note tone="bad" live>
      {text}
    </Note>
  ) : (
    <Problem error={error} />
  );
}

function said(problem: ApiProblem, t: ReturnType<typeof useTranslations<"session">>): string | null {
  if (problem.code === "invalid_credentials") return t("invalid");
  if (problem.code === "rate_limited") return t("limited", { seconds: Math.ceil(problem.retryAfter ?? 60) });
  return null;
}

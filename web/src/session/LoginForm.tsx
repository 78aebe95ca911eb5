"use client";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { type ApiProblem, isProblem } from "@/api/problem";
import { useLoginMutation } from "@/api/student.gen";
import { Button, Card, Hint, Note, Stack, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import styles from "./login.module.css";
import { signedIn } from "./token";

export function LoginForm({ notice }: { notice?: string | undefined }) {
  const t = useTranslations("session");
  const [login, { isLoading, error }] = useLoginMutation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isLoading) return;
    const answer = await login({ login: { email, password } });
    if (answer.data) signedIn(answer.data);
    else setPassword("");
  }

  return (
    <div className={styles.narrow}>
      <Card>
        <form onSubmit={submit}>
          <Stack>
            <PageTitle>{t("title")}</PageTitle>
            {notice ? <Note tone="warn">{notice}</Note> : null}
            <TextField
              label={t("email")}
              name="email"
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
            <TextField
              label={t("password")}
              name="password"
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
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

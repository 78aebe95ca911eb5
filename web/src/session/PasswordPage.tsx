"use client";
/** A person's own password: changed by who is logged in, or set by a link (`?token=`) without a login. */
import { useSearchParams } from "next/navigation";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import { useChangePasswordMutation, useSetPasswordMutation } from "@/api/student.gen";
import { Button, ButtonLink, Card, Note, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle, Shell } from "@/ui/Shell";
import styles from "./login.module.css";
import { PasswordField } from "./PasswordField";
import { StudentPage } from "./StudentPage";
import { signedIn } from "./token";

const LEAST_CHARACTERS = 10;

export function PasswordPage() {
  const token = useSearchParams().get("token");
  if (!token) return <StudentPage forAll>{() => <ChangeForm />}</StudentPage>;
  return (
    <Shell home="/">
      <SetForm token={token} />
    </Shell>
  );
}

/** The new password, twice; what is wrong is said once it was sent. */
function useNewPassword() {
  const t = useTranslations("session");
  const [chosen, setChosen] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);
  const short = [...chosen].length < LEAST_CHARACTERS;
  const fields = (
    <>
      <PasswordField
        label={t("newPassword")}
        hint={t("passwordRule")}
        error={tried && short ? t("tooShort") : undefined}
        name="new-password"
        autoComplete="new-password"
        value={chosen}
        onText={setChosen}
      />
      <PasswordField
        label={t("again")}
        error={tried && !short && chosen !== again ? t("different") : undefined}
        name="new-password-again"
        autoComplete="new-password"
        value={again}
        onText={setAgain}
      />
    </>
  );
  function clear() {
    setChosen("");
    setAgain("");
    setTried(false);
  }
  return { chosen, good: !short && chosen === again, fields, tried: () => setTried(true), clear };
}

function ChangeForm() {
  const t = useTranslations("session");
  const [change, { isLoading, error, isSuccess }] = useChangePasswordMutation();
  const [current, setCurrent] = useState("");
  const next = useNewPassword();
  async function submit(event: FormEvent) {
    event.preventDefault();
    next.tried();
    if (isLoading || !next.good) return;
    const answer = await change({
      passwordChange: { current_password: current, new_password: next.chosen },
    });
    if (!answer.data) return;
    signedIn(answer.data);
    setCurrent("");
    next.clear();
  }
  const wrong = isProblem(error) && error.code === "invalid_credentials";
  return (
    <div className={styles.narrow}>
      <Card>
        <form onSubmit={submit}>
          <Stack>
            <PageTitle>{t("changePassword")}</PageTitle>
            <PasswordField
              label={t("currentPassword")}
              error={wrong ? t("wrongCurrent") : undefined}
              name="password"
              autoComplete="current-password"
              value={current}
              onText={setCurrent}
            />
            {next.fields}
            {error && !wrong ? <Problem error={error} /> : null}
            {isSuccess ? (
              <Note tone="good" live>
                {t("changed")}
              </Note>
            ) : null}
            <Button look="primary" type="submit" busy={isLoading}>
              {isLoading ? t("changing") : t("change")}
            </Button>
          </Stack>
        </form>
      </Card>
    </div>
  );
}

function SetForm({ token }: { token: string }) {
  const t = useTranslations("session");
  const [set, { isLoading, error, isSuccess }] = useSetPasswordMutation();
  const next = useNewPassword();
  async function submit(event: FormEvent) {
    event.preventDefault();
    next.tried();
    if (isLoading || !next.good) return;
    await set({ passwordByLink: { token, new_password: next.chosen } });
  }
  const over = isProblem(error) && error.code === "link_expired";
  return (
    <div className={styles.narrow}>
      <Card>
        <form onSubmit={submit}>
          <Stack>
            <PageTitle>{t("setTitle")}</PageTitle>
            {isSuccess ? (
              <>
                <Note tone="good" live>
                  {t("setDone")}
                </Note>
                <ButtonLink look="primary" href="/">
                  {t("toLogin")}
                </ButtonLink>
              </>
            ) : (
              <>
                <p>{t("setText")}</p>
                {next.fields}
                {over ? (
                  <Note tone="bad" live>
                    {t("linkOver")}
                  </Note>
                ) : error ? (
                  <Problem error={error} />
                ) : null}
                <Button look="primary" type="submit" busy={isLoading}>
                  {isLoading ? t("setting") : t("set")}
                </Button>
              </>
            )}
          </Stack>
        </form>
      </Card>
    </div>
  );
}

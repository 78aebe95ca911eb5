"use client";
/** What went wrong, said to a person, with a way to go on. */
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import { Button, Note } from ".";
import styles from "./ui.module.css";

interface Props {
  error: unknown;
  onRetry?: () => void;
  /** It is tried again without the person's doing: they are not told to. */
  bySelf?: boolean;
}

export function Problem({ error, onRetry, bySelf = false }: Props) {
  const t = useTranslations("common");
  const problem = isProblem(error) ? error : null;
  const text =
    problem?.status === 0
      ? t(bySelf ? "offlineNow" : "offline")
      : problem?.status === 503
        ? t(bySelf ? "unavailableNow" : "unavailable")
        : problem?.detail || t("failed");
  return (
    <Note tone="bad" live>
      <p>{text}</p>
      {problem?.errors?.length ? (
        <ul>
          {problem.errors.map((one) => (
            <li key={one.loc.join(".") + one.msg}>
              {one.loc.slice(1).join(" › ")}: {one.msg}
            </li>
          ))}
        </ul>
      ) : null}
      {problem?.trace_id && problem.status >= 500 ? (
        <p className={styles.hint}>{t("trace", { id: problem.trace_id })}</p>
      ) : null}
      {onRetry ? (
        <div>
          <Button small onClick={onRetry}>
            {t("retry")}
          </Button>
        </div>
      ) : null}
    </Note>
  );
}

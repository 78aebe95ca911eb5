"use client";
/** Always in sight: which exam, whether the answers are saved, how much time is left. */
import { useTranslations } from "use-intl";
import { Button } from "@/ui";
import { PageTitle } from "@/ui/Shell";
import { useShown } from "./context";
import { SaveBadge } from "./SaveBadge";
import styles from "./sitting.module.css";
import { Timer } from "./Timer";

export function ExamBar({ onReview }: { onReview: (() => void) | null }) {
  const t = useTranslations("sitting");
  const title = useShown((state) => state.paper?.exam.title);
  return (
    <div className={styles.bar}>
      <div className={styles.title} dir="auto">
        <PageTitle>{title}</PageTitle>
      </div>
      <SaveBadge />
      <Timer />
      {onReview ? (
        <span className={styles.barReview}>
          <Button look="primary" small onClick={onReview}>
            {t("review")}
          </Button>
        </span>
      ) : null}
    </div>
  );
}

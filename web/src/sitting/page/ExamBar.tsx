"use client";
/** Always in sight: which exam, whether the answers are saved, how much time is left. */
import { useTranslations } from "use-intl";
import { Button, Note } from "@/ui";
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
      <div className={styles.title}>
        <PageTitle>
          <bdi>{title}</bdi>
        </PageTitle>
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
      <TimeExpired />
    </div>
  );
}

/** In sight wherever one has scrolled to: the inputs have just closed. */
function TimeExpired() {
  const t = useTranslations("sitting");
  const phase = useShown((state) => state.phase);
  const durable = useShown((state) => state.durable);
  if (phase.kind !== "timeUp") return null;
  const away = durable ? t("timeUpAway") : t("timeUpAwayUnkept");
  return (
    <div className={styles.expired}>
      <Note tone="bad" live>
        <strong>{t("timeExpired")}</strong>
        <p>{phase.problem ? away : t("timeUp")}</p>
      </Note>
    </div>
  );
}

"use client";
/** One person at one exam. All that an exam needs is loaded with this, while the page finds out who is there. */
import { useEffect, useState } from "react";
import { useDispatch } from "react-redux";
import { useTranslations } from "use-intl";
import { LoginForm } from "@/session/LoginForm";
import type { Person } from "@/session/lastPerson";
import { logout } from "@/session/logout";
import type { SessionState } from "@/session/useSession";
import type { AppDispatch } from "@/store";
import { Loading } from "@/ui";
import { Shell } from "@/ui/Shell";
import type { Sitting } from "../sitting";
import { countsOf } from "../standing";
import { SittingContext, useShown } from "./context";
import { ExamPage } from "./ExamPage";
import { Outcome } from "./Outcome";
import styles from "./sitting.module.css";
import { Timer } from "./Timer";
import { useOpening } from "./useOpening";

export function Seat({ person, exam, session }: { person: Person; exam: string; session: SessionState }) {
  const t = useTranslations("sitting");
  const dispatch = useDispatch<AppDispatch>();
  const { place, again } = useOpening(person.id, exam);
  const sitting = place.kind === "sitting" ? place.sitting : null;

  async function leave() {
    await sitting?.flush();
    // A closed one has said what was not taken.
    const open = sitting !== null && sitting.state.phase.kind !== "closed";
    if (open && countsOf(sitting.state).unsaved > 0 && !window.confirm(t("leaveUnsaved"))) return;
    await logout(dispatch);
    window.location.assign("/");
  }

  return (
    <Shell home="/" user={{ name: person.name, onLogout: leave }}>
      {place.kind === "loading" ? <Loading>{t("opening")}</Loading> : null}
      {sitting ? (
        <SittingContext value={sitting}>
          <Guarded sitting={sitting} session={session} />
        </SittingContext>
      ) : null}
      {place.kind !== "loading" && place.kind !== "sitting" ? (
        <Outcome place={place} onRetry={again} />
      ) : null}
    </Shell>
  );
}

function Guarded({ sitting, session }: { sitting: Sitting; session: SessionState }) {
  const t = useTranslations("sitting");
  const lost = useShown((state) => state.sessionLost);
  const title = useShown((state) => state.paper?.exam.title);
  const [wasIn, setWasIn] = useState(false);
  useEffect(() => {
    if (session.state === "in") {
      setWasIn(true);
      sitting.sessionIsBack();
    } else if (wasIn) sitting.sessionIsLost();
  }, [session, sitting, wasIn]);
  return (
    <>
      <div hidden={lost}>
        <ExamPage />
      </div>
      {lost ? (
        <>
          <div className={styles.heldUp}>
            <strong>
              <bdi>{title}</bdi>
            </strong>
            <Timer />
          </div>
          <LoginForm notice={t("loggedOut")} />
        </>
      ) : null}
    </>
  );
}

"use client";
/** The way into the exam page: who is it, and which exam. A lost session hides the page and keeps all of it. */
import { useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { useDispatch } from "react-redux";
import { useTranslations } from "use-intl";
import { LoginForm } from "@/session/LoginForm";
import { lastPerson, type Person } from "@/session/lastPerson";
import { logout } from "@/session/logout";
import { StudentPage } from "@/session/StudentPage";
import { type SessionState, useSession } from "@/session/useSession";
import type { AppDispatch } from "@/store";
import { Loading } from "@/ui";
import { Shell } from "@/ui/Shell";
import type { Sitting } from "../sitting";
import { SittingContext, useShown } from "./context";
import { ExamPage } from "./ExamPage";
import { Outcome } from "./Outcome";
import { Timer } from "./Timer";
import { useOpening } from "./useOpening";

export function SitPage() {
  const exam = useSearchParams().get("exam");
  const session = useSession();
  const person = usePerson(session);
  if (!person) return <StudentPage>{() => null}</StudentPage>;
  return <Seat key={person.id} person={person} exam={exam ?? ""} session={session} />;
}

/** Who sits here: as logged in; kept while the session is lost; after a reload without a connection the last one. */
function usePerson(session: SessionState): Person | null {
  const [held, setHeld] = useState<Person | null>(null);
  useEffect(() => {
    const found = personOf(session);
    if (found !== undefined) setHeld(found);
  }, [session]);
  return held;
}

/** Undefined: nothing new is known. */
function personOf(session: SessionState): Person | null | undefined {
  if (session.state === "in") {
    const { id, name, email, role } = session.session.user;
    return role === "student" ? { id, name: name || email } : null;
  }
  const away = session.state === "out" && session.problem !== null && session.problem.status !== 401;
  return away ? (lastPerson() ?? undefined) : undefined;
}

function Seat({ person, exam, session }: { person: Person; exam: string; session: SessionState }) {
  const t = useTranslations("sitting");
  const dispatch = useDispatch<AppDispatch>();
  const { place, again } = useOpening(person.id, exam);
  const sitting = place.kind === "sitting" ? place.sitting : null;

  async function leave() {
    await sitting?.flush();
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
          <Timer />
          <LoginForm notice={t("loggedOut")} />
        </>
      ) : null}
    </>
  );
}

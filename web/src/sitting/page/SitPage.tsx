"use client";
/** The way into the exam page: who is it, and which exam. A lost session hides the page and keeps all of it. */
import dynamic from "next/dynamic";
import { useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { lastPerson, type Person } from "@/session/lastPerson";
import { StudentPage } from "@/session/StudentPage";
import { type SessionState, useSession } from "@/session/useSession";
import { Loading } from "@/ui";
import { Shell } from "@/ui/Shell";

const Seat = dynamic(() => import("./Seat").then((part) => part.Seat), { loading: Opening });

/** Asked for before it is known who is there: what a person waits for comes at the same time. */
function loadEarly(): void {
  Promise.all([import("./Seat"), import("dexie")]).catch(() => undefined);
}

export function SitPage() {
  const exam = useSearchParams().get("exam");
  useEffect(loadEarly, []);
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

function Opening() {
  const t = useTranslations("sitting");
  return (
    <Shell home="/">
      <Loading>{t("opening")}</Loading>
    </Shell>
  );
}

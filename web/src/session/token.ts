/**
 * The access token: in this page's memory and nowhere else. One tab at a time asks for a new one (a Web Lock),
 * so that the refresh token is never used twice; the others hear of it.
 */
import * as z from "zod/mini";
import { type ApiProblem, problemOf } from "@/api/problem";
import { rememberPerson } from "./lastPerson";

export interface User {
  id: string;
  email: string;
  name: string;
  role: "student" | "admin" | "marker" | "invigilator";
  groups: string[];
}

export interface Session {
  token: string;
  user: User;
  /** On `performance.now()`, ms. */
  expiresAt: number;
  /** When to ask for the next one: half of its life. */
  renewAt: number;
}

type Listener = (session: Session | null) => void;

const TokenShape = z.looseObject({
  access_token: z.string(),
  expires_in: z.number(),
  user: z.looseObject({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    role: z.enum(["student", "admin", "marker", "invigilator"]),
    groups: z.array(z.string()),
  }),
});

interface TokenAnswer {
  access_token: string;
  expires_in: number;
  user: User;
}

const REFRESH = "/api/v1/auth/refresh";
const LOCK = "examhall-refresh";
/** What hangs for longer is given up: all other requests, and all other tabs, wait for it. */
const PATIENCE_MS = 10_000;
const CHANNEL = "examhall-session";

let current: Session | null = null;
/** Whose page this is, even while the session is lost. */
let owner: string | null = null;
let lost = false;
let renewal: ReturnType<typeof setTimeout> | undefined;
let pending: Promise<Session | ApiProblem> | null = null;
const listeners = new Set<Listener>();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);

if (channel) {
  channel.onmessage = ({ data }: MessageEvent<TokenAnswer | "logout">) => {
    if (data === "logout") lose();
    else if (isOwners(data)) adopt(data);
    // Another person logged in here: this page's requests would be theirs.
    else lose();
  };
}

export function session(): Session | null {
  return current;
}

/** Whether this page had a session that ended without its doing: the person should hear of it. */
export function wasLost(): boolean {
  return lost;
}

export function onSession(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** After a login, or a password change: this page and all others go on with it. */
export function signedIn(answer: TokenAnswer): Session {
  channel?.postMessage(answer);
  return adopt(answer);
}

export function signedOut(): void {
  channel?.postMessage("logout");
  lost = false;
  owner = null;
  set(null);
}

/** A token that lives: this one, or a new one. Resolves to a problem where there is none to be had. */
export function freshSession(rejected?: string): Promise<Session | ApiProblem> {
  if (current && current.token !== rejected && performance.now() < current.expiresAt)
    return Promise.resolve(current);
  pending ??= renew(rejected).finally(() => {
    pending = null;
  });
  return pending;
}

async function renew(rejected?: string): Promise<Session | ApiProblem> {
  const before = current;
  return exclusively(async () => {
    // Another tab may have got it while we waited for the lock.
    if (current && current !== before && current.token !== rejected) return current;
    return ask();
  });
}

async function ask(): Promise<Session | ApiProblem> {
  let response: Response;
  try {
    response = await fetch(REFRESH, {
      method: "POST",
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    return problemOf(0, null);
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    const read = TokenShape.safeParse(body);
    // A captive portal's page says 200 too.
    if (!read.success) return problemOf(502, null);
    if (isOwners(read.data)) return signedIn(read.data);
    // Another person logged in with this browser: this page's requests would be theirs.
    lose();
    return problemOf(401, { status: 401, code: "unauthenticated", detail: "" });
  }
  const problem = problemOf(response.status, body, response.headers.get("retry-after"));
  // A portal's 401 is not the server's.
  if (response.status === 401 && problem.code !== "unreadable") lose();
  return problem;
}

async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  // Outside of HTTPS and localhost there are no locks; the server forgives a token that is sent twice at once.
  if (!navigator.locks) return work();
  let begun = false;
  const held = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(LOCK, { signal: AbortSignal.timeout(PATIENCE_MS) }, held);
  } catch (error) {
    if (begun) throw error;
    // Whoever holds it hangs, or is frozen in the background.
    return work();
  }
}

function isOwners({ user }: TokenAnswer): boolean {
  return owner === null || owner === user.id;
}

function lose(): void {
  lost = lost || current !== null;
  set(null);
}

function adopt(answer: TokenAnswer): Session {
  lost = false;
  owner = answer.user.id;
  const now = performance.now();
  const life = answer.expires_in * 1000;
  const next: Session = {
    token: answer.access_token,
    user: answer.user,
    expiresAt: now + life,
    renewAt: now + life / 2,
  };
  set(next);
  return next;
}

function set(next: Session | null): void {
  current = next;
  rememberPerson(next ? { id: next.user.id, name: next.user.name || next.user.email } : null);
  clearTimeout(renewal);
  if (next) scheduleRenewal(next.renewAt - performance.now());
  for (const listener of listeners) listener(next);
}

function scheduleRenewal(wait: number): void {
  // Not all tabs at the same moment: whoever is first tells the others, whose timers then start anew.
  renewal = setTimeout(
    async () => {
      const known = current;
      const found = await exclusively(async () => (current !== known ? current : ask()));
      if (found && "code" in found && current === known) scheduleRenewal(15_000);
    },
    wait + Math.random() * 5_000,
  );
}

/**
 * What pages tell the people who run the exam: their faults, and for how long an answer has been unsaved.
 * Bounded, said once, and of no answer, address or token.
 */
import { send } from "@/api/base";
import type { PageError } from "@/api/student.gen";
import { session } from "@/session/token";

const ADDRESS = "/api/v1/client/reports";
/** A page that is broken says so a few times, not for ever. */
const MOST_FAULTS = 10;
const GATHER_MS = 2_000;
const UNSAVED_EVERY_MS = 60_000;
/** Younger is ordinary: a change is sent within 36 seconds. */
const UNSAVED_WORTH_SECONDS = 60;
const MESSAGE_LENGTH = 300;
const STACK_LENGTH = 2_000;

interface Fault {
  kind: PageError["kind"];
  message: string;
  stack?: string;
  page: string;
  at: string;
}

const told = new Set<string>();
let waiting: Fault[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let unsaved = { seconds: 0, at: Number.NEGATIVE_INFINITY };

export function reportFault(kind: Fault["kind"], error: unknown): void {
  const { message, stack } = described(error);
  const mark = `${kind} ${message} ${stack?.split("\n")[1] ?? ""}`;
  if (told.size >= MOST_FAULTS || told.has(mark)) return;
  told.add(mark);
  waiting.push({
    kind,
    message,
    ...(stack ? { stack } : {}),
    page: location.pathname,
    at: new Date().toISOString(),
  });
  timer ??= setTimeout(flush, GATHER_MS);
}

/** The age of the oldest answer that the server does not have; 0 where it has all. Call it as often as you like. */
export function reportUnsaved(seconds: number): void {
  const worth = seconds >= UNSAVED_WORTH_SECONDS;
  const now = performance.now();
  if (worth ? now - unsaved.at < UNSAVED_EVERY_MS : unsaved.seconds === 0 || seconds > 0) return;
  unsaved = { seconds: worth ? seconds : 0, at: now };
  post({ oldest_unsaved_seconds: Math.round(unsaved.seconds) });
}

/** Listens for what nobody caught, until the signal. */
export function reportFaults(signal: AbortSignal): void {
  addEventListener("error", (event) => reportFault("script", event.error ?? event.message), { signal });
  addEventListener("unhandledrejection", (event) => reportFault("promise", event.reason), { signal });
  addEventListener("pagehide", () => waiting.length && flush(), { signal });
}

async function flush(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  const errors = waiting;
  waiting = [];
  if (await post({ errors })) return;
  waiting = [...errors, ...waiting];
  timer ??= setTimeout(flush, UNSAVED_EVERY_MS);
}

/** Whether it arrived, or never will. Who is not logged in has nothing to send it with. */
async function post(body: Record<string, unknown>): Promise<boolean> {
  if (!session()) return false;
  const answer = await send({ url: ADDRESS, method: "POST", body, keepalive: true });
  return !("error" in answer) || (answer.error.status >= 400 && answer.error.status < 500);
}

function described(error: unknown): { message: string; stack?: string } {
  if (!(error instanceof Error)) return { message: harmless(String(error), MESSAGE_LENGTH) };
  return {
    message: harmless(`${error.name}: ${error.message}`, MESSAGE_LENGTH),
    // The first line of a stack repeats the message; what is below are places in our scripts.
    ...(error.stack ? { stack: harmless(error.stack, STACK_LENGTH) } : {}),
  };
}

/** Messages quote what they stumbled over, which may be an answer; addresses carry ids in their query. */
function harmless(text: string, length: number): string {
  return text
    .replace(/(["'`])[^"'`\n]*\1/g, '"…"')
    .replace(/\beyJ[\w.-]+/g, "…")
    .replace(/\?[^\s:)]*/g, "")
    .slice(0, length);
}

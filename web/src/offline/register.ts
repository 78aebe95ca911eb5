/** Makes students' pages work without a network, and keeps a running exam on the build that it began with. */
import { TAKE_OVER } from "./takeover";

const WORKER = "/sw.js";
/** Where a page must not be loaded anew under the person. */
const EXAM = /^\/(start|sit|practice)\//;
/** Chromium puts a takeover off for minutes that is asked for while the older worker still serves the page's parts. */
const SETTLED_MS = 1_000;

export async function registerOffline(): Promise<void> {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
  const known = await navigator.serviceWorker.getRegistration().catch(() => undefined);
  if (known?.waiting) letTakeOver(known.waiting);
  await quiet();
  // Refused by a private window, or by the administrator of the device: the pages work all the same.
  await navigator.serviceWorker.register(WORKER, { updateViaCache: "none" }).catch(() => undefined);
}

/** A build that came while the last exam ran: at once, or not before the next page, if the person begins to type. */
async function letTakeOver(waiting: ServiceWorker): Promise<void> {
  let typed = false;
  const free = () => !typed && !EXAM.test(location.pathname);
  addEventListener("input", () => (typed = true), { once: true, capture: true });
  const reload = () => free() && location.reload();
  await quiet();
  await new Promise((settled) => setTimeout(settled, SETTLED_MS));
  if (!free()) return;
  navigator.serviceWorker.addEventListener("controllerchange", reload, { once: true });
  waiting.postMessage(TAKE_OVER);
}

/** Once the page is there: what it needs itself goes first. */
async function quiet(): Promise<void> {
  if (document.readyState !== "complete") {
    await new Promise((loaded) => addEventListener("load", loaded, { once: true }));
  }
}

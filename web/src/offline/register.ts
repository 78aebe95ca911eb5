/** Makes students' pages work without a network, and keeps a running exam on the build that it began with. */
import { TAKE_OVER } from "./takeover";

const WORKER = "/sw.js";
/** Where a page must not be loaded anew under the person. */
const EXAM = /^\/(start|sit|practice)\//;

export async function registerOffline(): Promise<void> {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
  const known = await navigator.serviceWorker.getRegistration().catch(() => undefined);
  if (known?.waiting && !EXAM.test(location.pathname)) letTakeOver(known.waiting);
  await quiet();
  // Refused by a private window, or by the administrator of the device: the pages work all the same.
  await navigator.serviceWorker.register(WORKER, { updateViaCache: "none" }).catch(() => undefined);
}

/** A build that came while the last exam ran. The page has only just opened: nothing is typed yet. */
function letTakeOver(waiting: ServiceWorker): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage(TAKE_OVER);
}

/** Once the page is there: what it needs itself goes first. */
async function quiet(): Promise<void> {
  if (document.readyState !== "complete") {
    await new Promise((loaded) => addEventListener("load", loaded, { once: true }));
  }
}

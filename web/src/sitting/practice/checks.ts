/** What an exam needs of a device, tried out. */
import { BLANK } from "../entry";
import { Journal } from "../journal";

export type Verdict = "checking" | "good" | "bad";

export interface Found {
  verdict: Verdict;
  /** For the clock: how far it is ahead of the server's, in seconds; for the network: the round trip, in ms. */
  figure?: number;
}

const TRIAL = "device-check";
/** Beyond this, times on the page look wrong; the exam's own time is the server's all the same. */
const CLOCK_OFF_S = 60;

export async function checkStorage(): Promise<Found> {
  try {
    const journal = await Journal.open(TRIAL, Date.now());
    await journal.putEntries(TRIAL, { trial: { ...BLANK, revision: 1, answer: TRIAL } });
    await journal.wipe(TRIAL);
    journal.close();
    return { verdict: "good" };
  } catch {
    return { verdict: "bad" };
  }
}

/** Of the network and, by the way, of the clock: HTTP answers carry the server's time, in whole seconds. */
export async function checkServer(): Promise<{ network: Found; clock: Found }> {
  const asked = performance.now();
  try {
    const response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    const figure = Math.round(performance.now() - asked);
    const network: Found = { verdict: response.ok ? "good" : "bad", figure };
    return { network, clock: clockOf(response.headers.get("date")) };
  } catch {
    return { network: { verdict: "bad" }, clock: { verdict: "bad" } };
  }
}

function clockOf(date: string | null): Found {
  const server = Date.parse(date ?? "");
  if (Number.isNaN(server)) return { verdict: "bad" };
  const figure = Math.round((Date.now() - server) / 1000);
  return { verdict: Math.abs(figure) > CLOCK_OFF_S ? "bad" : "good", figure };
}

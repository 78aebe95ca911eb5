/** Pictures by their file id, in this page's memory: one that was seen stays visible when the network goes. */
import { onSession } from "@/session/token";
import { send } from "./base";
import { type ApiProblem, problemOf } from "./problem";

const KEPT = 60;
const kept = new Map<string, Promise<Blob | ApiProblem>>();

// The next person at this device may not see the pictures of the one before.
onSession((session) => {
  if (!session) kept.clear();
});

export function fileBlob(id: string): Promise<Blob | ApiProblem> {
  const found = kept.get(id);
  if (found) return found;
  const asked = load(id);
  remember(id, asked);
  asked.then((answer) => {
    if (!(answer instanceof Blob) && kept.get(id) === asked) kept.delete(id);
  });
  return asked;
}

/** What this page has sent itself need not be fetched. */
export function keepFile(id: string, blob: Blob): void {
  remember(id, Promise.resolve(blob));
}

async function load(id: string): Promise<Blob | ApiProblem> {
  const answer = await send({ url: `/api/v1/files/${encodeURIComponent(id)}` });
  if ("error" in answer) return answer.error;
  return answer.data instanceof Blob ? answer.data : problemOf(502, null);
}

function remember(id: string, blob: Promise<Blob | ApiProblem>): void {
  kept.delete(id);
  kept.set(id, blob);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
}

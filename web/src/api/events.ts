/** Server-sent events with the token in a header, which the browser's own EventSource can't send. */
import { EventSourceParserStream } from "eventsource-parser/stream";
import { freshSession } from "@/session/token";
import { isProblem, problemOf } from "./problem";

export interface ServerEvent {
  event: string;
  data: string;
}

/** Each event until the server ends the stream. Throws an ApiProblem, or what fetch throws. */
export async function* serverEvents(url: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const body = await open(url, signal);
  const reader = body
    .pipeThrough(new TextDecoderStream() as TransformStream<BufferSource, string>)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield { event: next.value.event ?? "message", data: next.value.data };
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function open(url: string, signal: AbortSignal) {
  const token = await tokenFor();
  const first = await ask(url, token, signal);
  const response = first.status === 401 ? await ask(url, await tokenFor(token), signal) : first;
  if (response.ok && response.body) return response.body;
  const problem: unknown = await response.json().catch(() => null);
  throw problemOf(response.status, problem, response.headers.get("retry-after"));
}

async function tokenFor(rejected?: string): Promise<string> {
  const found = await freshSession(rejected);
  if (isProblem(found)) throw found;
  return found.token;
}

function ask(url: string, token: string, signal: AbortSignal): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, Accept: "text/event-stream" };
  return fetch(url, { headers, credentials: "same-origin", cache: "no-store", signal });
}

/** The one way to the API: token, one renewal where it has expired, problems instead of statuses. */
import { type BaseQueryFn, createApi } from "@reduxjs/toolkit/query/react";
import { freshSession, session } from "@/session/token";
import { type ApiProblem, isProblem, problemOf } from "./problem";
import { traced } from "./trace";

export interface ApiRequest {
  url: string;
  method?: string;
  body?: unknown;
  params?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** It is sent even if the page goes away meanwhile; at most 64 KiB. */
  keepalive?: boolean;
}

/** Requests that are made without a token. */
const OPEN = ["/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/password/set"];

export const EXAMS_KEPT_SECONDS = 5 * 60;
export const QUESTIONS_KEPT_SECONDS = 10 * 60;

export async function send(
  request: ApiRequest,
  signal?: AbortSignal,
): Promise<{ data: unknown } | { error: ApiProblem }> {
  try {
    return await sendOnce(request, signal);
  } catch {
    // Whoever asks waits for a result: what nobody thought of must not leave them waiting.
    return { error: problemOf(502, null) };
  }
}

async function sendOnce(request: ApiRequest, signal?: AbortSignal) {
  const open = OPEN.includes(request.url);
  const first = await attempt(request, open ? null : await tokenFor(signal), signal);
  if (open || !isExpired(first)) return first;
  const renewed = await unlessAborted(freshSession(session()?.token), signal);
  return isProblem(renewed) ? { error: renewed } : attempt(request, renewed.token, signal);
}

async function tokenFor(signal?: AbortSignal): Promise<string | null> {
  const found = await unlessAborted(freshSession(), signal);
  return isProblem(found) ? null : found.token;
}

/** The renewal goes on for others; who asked waits no longer than they said. */
function unlessAborted(work: ReturnType<typeof freshSession>, signal?: AbortSignal): typeof work {
  if (!signal) return work;
  const aborted = new Promise<ApiProblem>((resolve) => {
    const give = () => resolve(problemOf(0, null));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
  return Promise.race([work, aborted]);
}

function isExpired(result: { data: unknown } | { error: ApiProblem }): boolean {
  // A wrong password is no reason to ask for another token.
  return "error" in result && result.error.status === 401 && result.error.code !== "invalid_credentials";
}

async function attempt(request: ApiRequest, token: string | null, signal?: AbortSignal) {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(address(request), {
      method: request.method ?? "GET",
      headers: { ...headers(request, token), ...request.headers },
      body: encoded(request.body),
      credentials: "same-origin",
      cache: "no-store",
      keepalive: request.keepalive ?? false,
      signal: signal ?? null,
    });
    // The connection may break in the middle of the answer.
    body = await read(response);
  } catch {
    return { error: problemOf(0, null) };
  }
  if (response.ok) return { data: body };
  return { error: problemOf(response.status, body, response.headers.get("retry-after")) };
}

function address({ url, params }: ApiRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  return query.size ? `${url}?${query}` : url;
}

function headers(request: ApiRequest, token: string | null): Record<string, string> {
  return {
    ...traced(),
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
    ...(request.body === undefined || request.body instanceof FormData
      ? {}
      : { "Content-Type": "application/json" }),
  };
}

function encoded(body: unknown): BodyInit | null {
  if (body === undefined) return null;
  return body instanceof FormData ? body : JSON.stringify(body);
}

async function read(response: Response): Promise<unknown> {
  const type = response.headers.get("content-type") ?? "";
  if (response.status === 204 || response.status === 205) return null;
  return type.includes("json") ? response.json().catch(() => null) : response.blob();
}

const baseQuery: BaseQueryFn<string | ApiRequest, unknown, ApiProblem> = (request, { signal }) =>
  send(typeof request === "string" ? { url: request } : request, signal);

export const api = createApi({
  reducerPath: "api",
  baseQuery,
  keepUnusedDataFor: EXAMS_KEPT_SECONDS,
  tagTypes: [
    "MyExams",
    "MyResults",
    "Exams",
    "Questions",
    "Imports",
    "Users",
    "Accommodations",
    "Results",
    "Marking",
    "Audit",
  ],
  endpoints: () => ({}),
});

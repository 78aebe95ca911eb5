/**
 * Pictures on their way to the server. They live outside of the components: who goes on to the next question
 * while a photo is sent loses nothing.
 */
import { useSyncExternalStore } from "react";
import * as z from "zod/mini";
import { keepFile } from "@/api/files";
import { type ApiProblem, isProblem, problemOf } from "@/api/problem";
import { freshSession } from "@/session/token";

export const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"];
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

export interface Upload {
  file: File;
  /** 0 to 1. */
  progress: number;
  problem: ApiProblem | null;
}

export interface Target {
  attemptId: string;
  questionId: string;
}

/** Beyond the time that a picture of its size takes on a slow line, a connection has died unseen. */
const PATIENCE_MS = 30_000;
const SLOWEST_BYTES_A_MS = 16;

const Answered = z.object({ file_id: z.string() });

const running = new Map<string, Upload & { cancel: () => void }>();
const listeners = new Set<() => void>();

const keyOf = ({ attemptId, questionId }: Target) => `${attemptId}/${questionId}`;

function put(key: string, upload: (Upload & { cancel: () => void }) | null): void {
  if (upload) running.set(key, upload);
  else running.delete(key);
  for (const listener of listeners) listener();
}

/** Of one attempt, by question: pictures that are not there (yet). */
export function uploadsOf(attemptId: string): Record<string, "sending" | "failed"> {
  const mine = [...running].filter(([key]) => key.startsWith(`${attemptId}/`));
  return Object.fromEntries(
    mine.map(([key, { problem }]) => [key.slice(attemptId.length + 1), problem ? "failed" : "sending"]),
  );
}

export function onUploads(listener: () => void): () => void {
  return subscribe(listener);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useUpload(target: Target): Upload | null {
  const read = () => running.get(keyOf(target)) ?? null;
  return useSyncExternalStore(subscribe, read, () => null);
}

export function cancelUpload(target: Target): void {
  running.get(keyOf(target))?.cancel();
  put(keyOf(target), null);
}

/** `onDone` gets the file's id; a failure stays until it is retried or cancelled. */
export function startUpload(target: Target, file: File, onDone: (fileId: string) => void): void {
  const key = keyOf(target);
  running.get(key)?.cancel();
  const abort = new AbortController();
  const cancel = () => abort.abort();
  put(key, { file, progress: 0, problem: null, cancel });
  const onProgress = (progress: number) => {
    if (!abort.signal.aborted) put(key, { file, progress, problem: null, cancel });
  };
  sendFile(target, file, onProgress, abort.signal).then((answer) => {
    if (abort.signal.aborted) return;
    if (isProblem(answer)) {
      put(key, { file, progress: 0, problem: answer, cancel });
      return;
    }
    keepFile(answer.fileId, file);
    // First the answer: at no moment is it neither under way nor there.
    onDone(answer.fileId);
    put(key, null);
  });
}

type Sent = { fileId: string } | ApiProblem;

async function sendFile(
  target: Target,
  file: File,
  onProgress: (progress: number) => void,
  signal: AbortSignal,
): Promise<Sent> {
  const session = await freshSession();
  if (isProblem(session)) return session;
  const first = await post(target, file, session.token, onProgress, signal);
  if (!isProblem(first) || first.status !== 401) return first;
  const renewed = await freshSession(session.token);
  return isProblem(renewed) ? renewed : post(target, file, renewed.token, onProgress, signal);
}

/** XMLHttpRequest, since fetch tells nothing of an upload's progress. */
function post(
  { attemptId, questionId }: Target,
  file: File,
  token: string,
  onProgress: (progress: number) => void,
  signal: AbortSignal,
): Promise<Sent> {
  const body = new FormData();
  body.set("student_exam_id", attemptId);
  body.set("question_id", questionId);
  body.set("file", file);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/student/files");
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.responseType = "json";
    request.timeout = PATIENCE_MS + file.size / SLOWEST_BYTES_A_MS;
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => resolve(problemOf(0, null));
    request.onabort = request.onerror;
    request.ontimeout = request.onerror;
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

function answerOf(request: XMLHttpRequest): Sent {
  const parsed = Answered.safeParse(request.response);
  if (request.status === 201 && parsed.success) return { fileId: parsed.data.file_id };
  return problemOf(request.status || 502, request.response, request.getResponseHeader("retry-after"));
}

"use client";
/** A job as it stands, followed by server-sent events until it ends; where there are none, by asking. */
import { useEffect } from "react";
import { useDispatch } from "react-redux";
import { serverEvents } from "@/api/events";
import type { Job } from "@/api/staff.gen";
import { contentApi, useGetImportQuery } from "@/api/staff-content";
import type { AppDispatch } from "@/store";

const ASK_EVERY_MS = 2_000;

export function useJob(importId: string) {
  const dispatch = useDispatch<AppDispatch>();
  const found = useGetImportQuery({ importId });
  const { refetch } = found;
  const job = found.data;
  const running = job !== undefined && !hasEnded(job);
  useEffect(() => {
    if (!running) return;
    const stop = new AbortController();
    const tell = (next: Job) => {
      dispatch(contentApi.util.upsertQueryData("getImport", { importId }, next));
    };
    follow(importId, tell, refetch, stop.signal);
    return () => {
      stop.abort();
      // It has ended, or nobody looks any more: the list is stale, and what the import has changed.
      dispatch(contentApi.util.invalidateTags(["Imports", "Questions", "Users"]));
    };
  }, [running, importId, refetch, dispatch]);
  return found;
}

export function hasEnded(job: Job): boolean {
  return job.status === "completed" || job.status === "failed";
}

async function follow(importId: string, tell: (job: Job) => void, ask: () => unknown, signal: AbortSignal) {
  while (!signal.aborted) {
    try {
      const events = serverEvents(`/api/v1/admin/imports/${importId}/events`, signal);
      for await (const { event, data } of events) if (event === "job") tell(JSON.parse(data) as Job);
    } catch {
      // No stream, or a broken one: the job is asked for instead, and the stream tried again.
    }
    await pause(ASK_EVERY_MS, signal);
    if (!signal.aborted) ask();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

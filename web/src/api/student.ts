/** What students' pages ask for: whole lists, what is kept for how long, and what makes it stale. */
import type { BaseQueryApi } from "@reduxjs/toolkit/query/react";
import { type ApiRequest, EXAMS_KEPT_SECONDS, send } from "./base";
import type { ApiProblem } from "./problem";
import {
  studentApi as generated,
  type MyExam,
  type MyExams,
  type MyResultSummary,
  type MyResults,
} from "./student.gen";

/** As they were at `receivedAt` (on `performance.now()`): times left count from there. */
export interface ReceivedExams {
  items: MyExam[];
  receivedAt: number;
}

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

const MOST_AT_ONCE = 200;

/** A student has few of them: all pages at once. */
async function everyPage<Item>(
  url: string,
  { signal }: BaseQueryApi,
): Promise<{ data: Item[] } | { error: ApiProblem }> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const request: ApiRequest = { url, params: { limit: MOST_AT_ONCE, cursor } };
    const answer = await send(request, signal);
    if ("error" in answer) return answer;
    const page = answer.data as Page<Item>;
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return { data: items };
}

const lists = generated
  .enhanceEndpoints({
    endpoints: {
      getMyResult: { providesTags: ["MyResults"], keepUnusedDataFor: EXAMS_KEPT_SECONDS },
      start: { invalidatesTags: ["MyExams"] },
    },
  })
  .injectEndpoints({
    endpoints: (build) => ({
      myExams: build.query<ReceivedExams, void>({
        queryFn: async (_, call) => {
          const answer = await everyPage<MyExams["items"][number]>("/api/v1/student/exams", call);
          return "error" in answer ? answer : { data: { items: answer.data, receivedAt: performance.now() } };
        },
        providesTags: ["MyExams"],
        keepUnusedDataFor: EXAMS_KEPT_SECONDS,
      }),
      myResults: build.query<MyResultSummary[], void>({
        queryFn: (_, call) => everyPage<MyResults["items"][number]>("/api/v1/student/results", call),
        providesTags: ["MyResults"],
        keepUnusedDataFor: EXAMS_KEPT_SECONDS,
      }),
    }),
  });

export const { useMyExamsQuery, useMyResultsQuery, useGetMyResultQuery, useStartMutation } = lists;
export const { myExams } = lists.endpoints;

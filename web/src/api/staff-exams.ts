/** Exams, accommodations, results, marks and audit: what is cached, and what a change makes stale. */
import { api, QUESTIONS_KEPT_SECONDS } from "./base";
import {
  type Entries,
  type Exams,
  type ListAuditApiArg,
  type ListExamsApiArg,
  type ListQuestionsApiArg,
  type ListResultsApiArg,
  type ListUsersApiArg,
  type Questions,
  type Queue,
  type Results,
  staffApi,
  type Users,
} from "./staff.gen";

const LIST = "LIST";

const changedExam = (_answer: unknown, _error: unknown, { examId }: { examId: string }) => [
  { type: "Exams" as const, id: examId },
  { type: "Exams" as const, id: LIST },
  "Audit" as const,
];
const changedAccommodation = (_answer: unknown, _error: unknown, { studentId }: { studentId: string }) => [
  { type: "Accommodations" as const, id: studentId },
  "Audit" as const,
];
const accommodation = (_answer: unknown, _error: unknown, { studentId }: { studentId: string }) => [
  { type: "Accommodations" as const, id: studentId },
];

staffApi.enhanceEndpoints({
  endpoints: {
    getExam: { providesTags: (_answer, _error, { examId }) => [{ type: "Exams", id: examId }] },
    createExam: { invalidatesTags: [{ type: "Exams", id: LIST }, "Audit"] },
    updateExam: { invalidatesTags: changedExam },
    setExamQuestions: { invalidatesTags: changedExam },
    setRoster: { invalidatesTags: changedExam },
    publishExam: { invalidatesTags: changedExam },
    closeExam: { invalidatesTags: changedExam },
    // Not the exam itself: nobody should ask for what is gone.
    deleteExam: { invalidatesTags: [{ type: "Exams", id: LIST }, "Audit"] },
    getOwnAccommodation: { providesTags: accommodation },
    getAccommodation: { providesTags: accommodation },
    putOwnAccommodation: { invalidatesTags: changedAccommodation },
    putAccommodation: { invalidatesTags: changedAccommodation },
    deleteOwnAccommodation: { invalidatesTags: changedAccommodation },
    deleteAccommodation: { invalidatesTags: changedAccommodation },
    getFullResult: { providesTags: ["Results"] },
    releaseResults: { invalidatesTags: ["Results", "Audit"] },
    // The queue is asked again when the marker says so: what was just marked stays in sight.
    putMark: { invalidatesTags: ["Results", "Audit"] },
    listAudit: { providesTags: ["Audit"] },
  },
});

/** The cursor of the next page; "" for the first. */
const byCursor = {
  initialPageParam: "",
  getNextPageParam: (last: { next_cursor: string | null }) => last.next_cursor ?? undefined,
};

type Filters<Arg> = Omit<Arg, "limit" | "cursor">;

const PAGE = 50;

const pages = api.injectEndpoints({
  endpoints: (build) => ({
    examPages: build.infiniteQuery<Exams, Filters<ListExamsApiArg>, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg: { q, status }, pageParam }) => ({
        url: "/api/v1/admin/exams",
        params: { limit: PAGE, cursor: pageParam, q, status },
      }),
      providesTags: [{ type: "Exams", id: LIST }],
    }),
    resultPages: build.infiniteQuery<Results, Filters<ListResultsApiArg>, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg: { examId }, pageParam }) => ({
        url: `/api/v1/admin/exams/${examId}/results`,
        params: { limit: PAGE, cursor: pageParam },
      }),
      providesTags: ["Results"],
    }),
    queuePages: build.infiniteQuery<Queue, { examId: string | null }, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg: { examId }, pageParam }) => ({
        url: "/api/v1/admin/grading/queue",
        params: { limit: 20, cursor: pageParam, exam_id: examId },
      }),
      providesTags: ["Marking"],
    }),
    auditPages: build.infiniteQuery<Entries, Filters<ListAuditApiArg>, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg: { actorId, objectType, objectId, action }, pageParam }) => ({
        url: "/api/v1/admin/audit",
        params: {
          limit: PAGE,
          cursor: pageParam,
          actor_id: actorId,
          object_type: objectType,
          object_id: objectId,
          action,
        },
      }),
      providesTags: ["Audit"],
    }),
    bankPages: build.infiniteQuery<Questions, Filters<ListQuestionsApiArg>, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg: { q, category, tag, type }, pageParam }) => ({
        url: "/api/v1/admin/questions",
        params: { limit: PAGE, cursor: pageParam, q, category, tag, type },
      }),
      providesTags: ["Questions"],
      keepUnusedDataFor: QUESTIONS_KEPT_SECONDS,
    }),
    studentPages: build.infiniteQuery<Users, Pick<ListUsersApiArg, "q" | "group">, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg: { q, group }, pageParam }) => ({
        url: "/api/v1/admin/users",
        params: { limit: 20, cursor: pageParam, q, group, role: "student", active: true },
      }),
      providesTags: ["Users"],
    }),
  }),
});

export const {
  useExamPagesInfiniteQuery,
  useResultPagesInfiniteQuery,
  useQueuePagesInfiniteQuery,
  useAuditPagesInfiniteQuery,
  useBankPagesInfiniteQuery,
  useStudentPagesInfiniteQuery,
} = pages;

export {
  staffApi,
  useCloseExamMutation,
  useCreateExamMutation,
  useDeleteAccommodationMutation,
  useDeleteExamMutation,
  useDeleteOwnAccommodationMutation,
  useGetAccommodationQuery,
  useGetExamQuery,
  useGetFullResultQuery,
  useGetOwnAccommodationQuery,
  useGetQuestionQuery,
  useGetUserQuery,
  useListAuditQuery,
  usePublishExamMutation,
  usePutAccommodationMutation,
  usePutMarkMutation,
  usePutOwnAccommodationMutation,
  useReleaseResultsMutation,
  useSetExamQuestionsMutation,
  useSetRosterMutation,
  useUpdateExamMutation,
} from "./staff.gen";

/** Content and people as staff's pages ask for them: lists by pages, uploads, and what a change makes stale. */
import { QUESTIONS_KEPT_SECONDS } from "./base";
import {
  type FailedRows,
  type Job,
  type Jobs,
  type ListQuestionsApiArg,
  type ListUsersApiArg,
  type Questions,
  staffApi,
  type Users,
} from "./staff.gen";

export const PAGE = 50;
export const ROWS_PAGE = 200;

/** `next_cursor` is the way to the next page, "" to the first one. */
const byCursor = {
  initialPageParam: "",
  getNextPageParam: (last: { next_cursor: string | null }) => last.next_cursor ?? undefined,
};

export interface Upload {
  file: File;
  kind: Job["kind"];
  onError: Job["on_error"];
  dryRun: boolean;
}

const tagged = staffApi.enhanceEndpoints({
  endpoints: {
    getImport: { providesTags: (_found, _problem, { importId }) => [{ type: "Imports", id: importId }] },
    getQuestion: {
      providesTags: (_found, _problem, { questionId }) => [{ type: "Questions", id: questionId }],
      keepUnusedDataFor: QUESTIONS_KEPT_SECONDS,
    },
    createQuestion: { invalidatesTags: ["Questions"] },
    // A stale version is there to be read anew, so also where the change was refused.
    editQuestion: { invalidatesTags: ["Questions"] },
    archiveQuestion: { invalidatesTags: (_done, problem) => (problem ? [] : ["Questions"]) },
    getUser: { providesTags: (_found, _problem, { userId }) => [{ type: "Users", id: userId }] },
    createUser: { invalidatesTags: (_done, problem) => (problem ? [] : ["Users"]) },
    updateUser: { invalidatesTags: (_done, problem) => (problem ? [] : ["Users"]) },
    createPasswordLink: { invalidatesTags: ["Users"] },
  },
});

const content = tagged.injectEndpoints({
  endpoints: (build) => ({
    importPages: build.infiniteQuery<Jobs, void, string>({
      infiniteQueryOptions: byCursor,
      query: ({ pageParam }) => ({
        url: "/api/v1/admin/imports",
        params: { limit: PAGE, cursor: pageParam },
      }),
      providesTags: ["Imports"],
    }),
    uploadWorkbook: build.mutation<Job, Upload>({
      query: ({ file, kind, onError, dryRun }) => {
        const body = new FormData();
        body.set("file", file, file.name);
        body.set("kind", kind);
        body.set("on_error", onError);
        body.set("dry_run", String(dryRun));
        return { url: "/api/v1/admin/imports", method: "POST", body };
      },
      invalidatesTags: (_job, problem) => (problem ? [] : ["Imports"]),
    }),
    failedRowPages: build.infiniteQuery<FailedRows, string, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg, pageParam }) => ({
        url: `/api/v1/admin/imports/${queryArg}/rows`,
        params: { limit: ROWS_PAGE, cursor: pageParam },
      }),
    }),
    questionPages: build.infiniteQuery<Questions, Omit<ListQuestionsApiArg, "cursor" | "limit">, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg, pageParam }) => ({
        url: "/api/v1/admin/questions",
        params: { ...queryArg, limit: PAGE, cursor: pageParam },
      }),
      providesTags: ["Questions"],
      keepUnusedDataFor: QUESTIONS_KEPT_SECONDS,
    }),
    userPages: build.infiniteQuery<Users, Omit<ListUsersApiArg, "cursor" | "limit">, string>({
      infiniteQueryOptions: byCursor,
      query: ({ queryArg, pageParam }) => ({
        url: "/api/v1/admin/users",
        params: { ...queryArg, limit: PAGE, cursor: pageParam },
      }),
      providesTags: ["Users"],
    }),
  }),
});

export const {
  useGetImportQuery,
  useImportPagesInfiniteQuery,
  useUploadWorkbookMutation,
  useFailedRowPagesInfiniteQuery,
  useQuestionPagesInfiniteQuery,
  useGetQuestionQuery,
  useLazyGetQuestionQuery,
  useCreateQuestionMutation,
  useEditQuestionMutation,
  useArchiveQuestionMutation,
  useUserPagesInfiniteQuery,
  useGetUserQuery,
  useCreateUserMutation,
  useUpdateUserMutation,
  useCreatePasswordLinkMutation,
} = content;

export const contentApi = content;

"use client";
/** A student's own accommodation, which holds for all exams. */
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import {
  useDeleteOwnAccommodationMutation,
  useGetOwnAccommodationQuery,
  usePutOwnAccommodationMutation,
} from "@/api/staff-exams";
import { Loading } from "@/ui";
import { Problem } from "@/ui/Problem";
import { GrantForm } from "./GrantForm";

const EXAMPLE_MINUTES = 60;

export function Own({ studentId }: { studentId: string }) {
  const c = useTranslations("common");
  const { currentData, error, isFetching, refetch } = useGetOwnAccommodationQuery({ studentId });
  const [put] = usePutOwnAccommodationMutation();
  const [remove] = useDeleteOwnAccommodationMutation();
  const none = isProblem(error) && error.status === 404;
  if (error && !none) return <Problem error={error} onRetry={refetch} />;
  if (!currentData && !none && isFetching) return <Loading>{c("loading")}</Loading>;
  return (
    <GrantForm
      key={studentId}
      found={none ? null : (currentData ?? null)}
      minutes={EXAMPLE_MINUTES}
      onSave={(accommodationIn) => put({ studentId, accommodationIn })}
      onRemove={() => remove({ studentId })}
    />
  );
}

"use client";
/** A student's accommodation in one exam, which goes before the own one as a whole. */
import Link from "next/link";
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";
import type { Accommodation, Exam } from "@/api/staff.gen";
import {
  useDeleteAccommodationMutation,
  useGetAccommodationQuery,
  useGetOwnAccommodationQuery,
  usePutAccommodationMutation,
} from "@/api/staff-exams";
import { Loading, Note, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { GrantForm } from "./GrantForm";

export function InExam({ exam, studentId }: { exam: Exam; studentId: string }) {
  const c = useTranslations("common");
  const here = { examId: exam.id, studentId };
  const { currentData, error, isFetching, refetch } = useGetAccommodationQuery(here);
  const own = useGetOwnAccommodationQuery({ studentId });
  const [put] = usePutAccommodationMutation();
  const [remove] = useDeleteAccommodationMutation();
  const none = isProblem(error) && error.status === 404;
  if (error && !none) return <Problem error={error} onRetry={refetch} />;
  if (!currentData && !none && isFetching) return <Loading>{c("loading")}</Loading>;
  const found = none ? null : (currentData ?? null);
  return (
    <Stack>
      <Holds studentId={studentId} own={own.error ? null : (own.currentData ?? null)} overridden={!none} />
      <GrantForm
        key={`${exam.id}/${studentId}`}
        found={found}
        minutes={exam.duration_minutes}
        onSave={(accommodationIn) => put({ ...here, accommodationIn })}
        onRemove={() => remove(here)}
      />
    </Stack>
  );
}

interface HoldsProps {
  studentId: string;
  own: Accommodation | null;
  overridden: boolean;
}

/** Which of the two holds. */
function Holds({ studentId, own, overridden }: HoldsProps) {
  const t = useTranslations("builder.accommodations");
  const holds = overridden ? "thisHolds" : own ? "ownHolds" : "noneHolds";
  return (
    <Note>
      <p>{t(holds, { percent: own?.extra_time_percent ?? 0 })}</p>
      <p>
        <Link href={`/admin/people/accommodations/?student=${studentId}`} prefetch={false}>
          {t("toOwn")}
        </Link>
      </p>
    </Note>
  );
}

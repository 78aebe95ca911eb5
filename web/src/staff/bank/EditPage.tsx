"use client";
/** Writing a question: a new one, or one of the bank as it stands. */
import { useRouter, useSearchParams } from "next/navigation";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { useGetQuestionQuery } from "@/api/staff-content";
import { BackLink } from "@/staff/BackLink";
import { StaffPage } from "@/staff/StaffPage";
import { Loading, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { type Draft, emptyDraft } from "./draft";
import { Editor } from "./Editor";

export function EditPage() {
  return <StaffPage part="questions">{() => <Edit />}</StaffPage>;
}

function Edit() {
  const t = useTranslations("bank");
  const router = useRouter();
  const id = useSearchParams().get("id");
  // One that was created here goes on in the editor that it was written in.
  const [fresh, setFresh] = useState<{ number: number; start: Draft; createdId: string | null }>(() => ({
    number: 1,
    start: emptyDraft(),
    createdId: null,
  }));
  function onCreated(createdId: string) {
    setFresh({ ...fresh, createdId });
    router.replace(`/admin/questions/edit/?id=${createdId}`, { scroll: false });
  }
  function onAnother(like: Draft) {
    setFresh({ number: fresh.number + 1, start: emptyDraft(like), createdId: null });
    router.push("/admin/questions/edit/");
  }
  const isFresh = !id || id === fresh.createdId;
  return (
    <Stack>
      <BackLink href="/admin/questions/">{t("toBank")}</BackLink>
      {isFresh ? (
        <Editor
          key={fresh.number}
          question={null}
          start={fresh.start}
          onCreated={onCreated}
          onAnother={onAnother}
        />
      ) : (
        <Existing key={id} id={id} onAnother={onAnother} />
      )}
    </Stack>
  );
}

function Existing({ id, onAnother }: { id: string; onAnother: (like: Draft) => void }) {
  const c = useTranslations("common");
  // What lies in the cache may be older than what is edited here.
  const { data, error, refetch, isFetching } = useGetQuestionQuery(
    { questionId: id },
    { refetchOnMountOrArgChange: true },
  );
  const [opened, setOpened] = useState(data);
  if (!opened && data && !isFetching) setOpened(data);
  if (opened) return <Editor question={opened} onAnother={onAnother} />;
  return error ? <Problem error={error} onRetry={refetch} /> : <Loading>{c("loading")}</Loading>;
}

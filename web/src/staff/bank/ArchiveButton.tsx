"use client";
/** Takes a question out of the bank, after asking. */
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { useArchiveQuestionMutation } from "@/api/staff-content";
import { Button, Dialog } from "@/ui";
import { Problem } from "@/ui/Problem";

export function ArchiveButton({ questionId }: { questionId: string }) {
  const t = useTranslations("bank");
  const c = useTranslations("common");
  const router = useRouter();
  const [open, setOpen] = useState(false);
  const [archive, { isLoading, error, reset }] = useArchiveQuestionMutation();
  async function confirmed() {
    const answer = await archive({ questionId });
    if (!("error" in answer)) router.push("/admin/questions/");
  }
  function close() {
    reset();
    setOpen(false);
  }
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        {t("archive")}
      </Button>
      <Dialog
        open={open}
        onClose={close}
        title={t("archiveTitle")}
        actions={
          <>
            <Button onClick={close}>{c("cancel")}</Button>
            <Button look="danger" busy={isLoading} onClick={confirmed}>
              {t("archive")}
            </Button>
          </>
        }
      >
        <p>{t("archiveText")}</p>
        {error ? <Problem error={error} /> : null}
      </Dialog>
    </>
  );
}

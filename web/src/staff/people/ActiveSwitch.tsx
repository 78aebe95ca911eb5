"use client";
/** Deactivating a person, after asking, and taking it back. */
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { User } from "@/api/staff.gen";
import { useUpdateUserMutation } from "@/api/staff-content";
import { Button, Dialog, Hint, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";

export function ActiveSwitch({ person }: { person: User }) {
  const t = useTranslations("people");
  const c = useTranslations("common");
  const [asking, setAsking] = useState(false);
  const [update, { isLoading, error, reset }] = useUpdateUserMutation();
  async function set(active: boolean) {
    const { data } = await update({ userId: person.id, userPatch: { active } });
    if (data) setAsking(false);
  }
  function close() {
    reset();
    setAsking(false);
  }
  return (
    <Stack>
      <h2>{t("access")}</h2>
      <Hint>{person.active ? t("activeHint") : t("inactiveHint")}</Hint>
      {error && !asking ? <Problem error={error} /> : null}
      <div>
        {/* One button for both: it keeps the focus when what it does has changed. */}
        <Button
          look={person.active ? "danger" : "primary"}
          busy={isLoading}
          onClick={() => (person.active ? setAsking(true) : set(true))}
        >
          {person.active ? t("deactivate") : t("reactivate")}
        </Button>
      </div>
      <Dialog
        open={asking}
        onClose={close}
        title={t("deactivateTitle", { name: person.name })}
        actions={
          <>
            <Button onClick={close}>{c("cancel")}</Button>
            <Button look="danger" busy={isLoading} onClick={() => set(false)}>
              {t("deactivate")}
            </Button>
          </>
        }
      >
        <p>{t("deactivateText")}</p>
        {error ? <Problem error={error} /> : null}
      </Dialog>
    </Stack>
  );
}

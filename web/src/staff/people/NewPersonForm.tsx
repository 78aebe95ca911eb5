"use client";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { User } from "@/api/staff.gen";
import { useCreateUserMutation } from "@/api/staff-content";
import { useUnsaved } from "@/staff/useUnsaved";
import { Button, Card, Hint, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { PageTitle } from "@/ui/Shell";
import { type Fields, PersonFields } from "./PersonFields";
import { isOfFields } from "./personFaults";

const NOBODY: Fields = { name: "", email: "", role: "student", groups: [] };

export function NewPersonForm({ onAdded }: { onAdded: (person: User) => void }) {
  const t = useTranslations("people");
  const [fields, setFields] = useState(NOBODY);
  const [create, { isLoading, isSuccess, error }] = useCreateUserMutation();
  useUnsaved(!isSuccess && Boolean(fields.name || fields.email), t("unsavedLeave"));

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isLoading) return;
    const { data } = await create({
      newUser: { ...fields, name: fields.name.trim(), email: fields.email.trim() },
    });
    if (data) onAdded(data);
  }

  return (
    <>
      <PageTitle>{t("newTitle")}</PageTitle>
      <Card>
        <form onSubmit={submit}>
          <Stack>
            <PersonFields fields={fields} onChange={setFields} error={error} />
            {error && !isOfFields(error) ? <Problem error={error} /> : null}
            <div>
              <Button look="primary" type="submit" busy={isLoading}>
                {isLoading ? t("saving") : t("add")}
              </Button>
            </div>
            <Hint>{t("addHint")}</Hint>
          </Stack>
        </form>
      </Card>
    </>
  );
}

"use client";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { User, UserPatch } from "@/api/staff.gen";
import { useUpdateUserMutation } from "@/api/staff-content";
import { useUnsaved } from "@/staff/useUnsaved";
import { Button, Hint, Row, Stack } from "@/ui";
import { Problem } from "@/ui/Problem";
import { type Fields, PersonFields } from "./PersonFields";
import { isOfFields } from "./personFaults";

export function PersonForm({ person, self }: { person: User; self: boolean }) {
  const t = useTranslations("people");
  const [fields, setFields] = useState<Fields>(person);
  const [update, { isLoading, isSuccess, error }] = useUpdateUserMutation();
  const changes = changed(person, fields);
  const dirty = Object.keys(changes).length > 0;
  useUnsaved(dirty, t("unsavedLeave"));

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (isLoading || !dirty) return;
    const { data } = await update({ userId: person.id, userPatch: changes });
    if (data) setFields(data);
  }

  return (
    <form onSubmit={submit}>
      <Stack>
        <PersonFields fields={fields} onChange={setFields} error={error} roleFixed={self} />
        {error && !isOfFields(error) ? <Problem error={error} /> : null}
        <Row>
          <Button look="primary" type="submit" busy={isLoading || !dirty}>
            {isLoading ? t("saving") : t("save")}
          </Button>
          <span role="status">{isSuccess && !dirty ? t("saved") : null}</span>
        </Row>
        {changes.role || changes.email ? <Hint>{t("logsOut")}</Hint> : null}
      </Stack>
    </form>
  );
}

function changed(person: User, fields: Fields): UserPatch {
  const changes: UserPatch = {};
  if (fields.name.trim() !== person.name) changes.name = fields.name.trim();
  if (fields.email.trim() !== person.email) changes.email = fields.email.trim();
  if (fields.role !== person.role) changes.role = fields.role;
  if (fields.groups.join("\n") !== person.groups.join("\n")) changes.groups = fields.groups;
  return changes;
}

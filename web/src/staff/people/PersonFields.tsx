"use client";
/** What there is to say of a person. */
import { useTranslations } from "use-intl";
import type { User } from "@/api/staff.gen";
import { Select, TextField } from "@/ui";
import { TokenField } from "@/ui/TokenField";
import { usePersonFaults } from "./personFaults";
import { RoleOptions, roleOf } from "./RoleOptions";

export type Fields = Pick<User, "name" | "email" | "role" | "groups">;

interface Props {
  fields: Fields;
  onChange: (fields: Fields) => void;
  error: unknown;
  /** One can't take the administration from oneself. */
  roleFixed?: boolean;
}

export function PersonFields({ fields, onChange, error, roleFixed = false }: Props) {
  const t = useTranslations("people");
  const faults = usePersonFaults(error);
  const change = (part: Partial<Fields>) => onChange({ ...fields, ...part });
  return (
    <>
      <TextField
        label={t("name")}
        error={faults.name}
        required
        maxLength={200}
        dir="auto"
        autoComplete="off"
        value={fields.name}
        onChange={({ target }) => change({ name: target.value })}
      />
      <TextField
        label={t("email")}
        error={faults.email}
        type="email"
        required
        maxLength={320}
        dir="ltr"
        autoComplete="off"
        value={fields.email}
        onChange={({ target }) => change({ email: target.value })}
      />
      <Select
        label={t("role")}
        hint={roleFixed ? t("ownRole") : t("roleHint")}
        error={faults.role}
        disabled={roleFixed}
        value={fields.role}
        onChange={({ target }) => change({ role: roleOf(target.value) ?? "student" })}
      >
        <RoleOptions />
      </Select>
      <TokenField
        label={t("groups")}
        hint={t("groupsHint")}
        error={faults.groups}
        values={fields.groups}
        onChange={(groups) => change({ groups })}
      />
    </>
  );
}

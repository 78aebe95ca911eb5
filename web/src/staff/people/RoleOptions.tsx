"use client";
/** The roles that a person can have, to choose from. */
import { useTranslations } from "use-intl";
import type { User } from "@/api/staff.gen";

type Role = User["role"];

const ROLES: readonly Role[] = ["student", "admin", "marker", "invigilator"];

/** What was chosen or typed, where it is a role. */
export function roleOf(text: string): Role | null {
  return ROLES.find((role) => role === text) ?? null;
}

export function RoleOptions() {
  const t = useTranslations("people");
  return ROLES.map((role) => (
    <option key={role} value={role}>
      {t(`roles.${role}`)}
    </option>
  ));
}

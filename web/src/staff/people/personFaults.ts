"use client";
/** What the server says of a person's fields; and what of that is not said by the fields. */
import { useTranslations } from "use-intl";
import { isProblem } from "@/api/problem";

export function usePersonFaults(error: unknown): Partial<Record<string, string>> {
  const t = useTranslations("people");
  if (!isProblem(error)) return {};
  if (error.code === "email_taken") return { email: t("emailTaken") };
  const found: Record<string, string> = {};
  for (const { loc, msg } of error.errors ?? []) found[String(loc[1] ?? loc[0])] ??= msg;
  return found;
}

export function isOfFields(error: unknown): boolean {
  return isProblem(error) && error.code === "email_taken";
}

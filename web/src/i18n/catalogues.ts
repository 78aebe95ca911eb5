/** Which messages a page needs: students' pages never load those of staff. English comes with the page. */
import type { AbstractIntlMessages } from "use-intl";
import { student as english } from "./en";
import type { Locale } from "./locales";

export type Surface = "student" | "staff";

export const ENGLISH: AbstractIntlMessages = english;

export async function loadMessages(locale: Locale, surface: Surface): Promise<AbstractIntlMessages> {
  const own = locale === "en" ? { student: english } : await import("./ar");
  if (surface === "student") return own.student;
  const { staff } = locale === "en" ? await import("./en/staff") : await import("./ar/staff");
  return { ...own.student, ...staff };
}

/** The languages there are. Catalogues are folders of messages, one file a part of the application. */
export const LOCALES = ["en", "ar"] as const;
export type Locale = (typeof LOCALES)[number];

export const NAMES: Record<Locale, string> = { en: "English", ar: "العربية" };
export const DIRECTIONS: Record<Locale, "ltr" | "rtl"> = { en: "ltr", ar: "rtl" };

const KEPT_AS = "examhall-locale";

export function isLocale(value: unknown): value is Locale {
  return LOCALES.includes(value as Locale);
}

/** What was chosen here, else the first of the browser's languages that there is, else English. */
export function preferredLocale(): Locale {
  const kept = read();
  if (isLocale(kept)) return kept;
  const found = navigator.languages.map((tag) => tag.split("-")[0]).find(isLocale);
  return found ?? "en";
}

export function keepLocale(locale: Locale): void {
  try {
    localStorage.setItem(KEPT_AS, locale);
  } catch {
    // Storage is refused: the choice holds for this page.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}

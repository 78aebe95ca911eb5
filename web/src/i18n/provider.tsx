"use client";
/** The language of a page: messages, direction, and how dates and numbers are written. */
import { DirectionProvider } from "@radix-ui/react-direction";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";
import { type AbstractIntlMessages, IntlProvider } from "use-intl";
import { ENGLISH, loadMessages, type Surface } from "./catalogues";
import { DIRECTIONS, keepLocale, type Locale, preferredLocale } from "./locales";

interface Language {
  locale: Locale;
  choose: (locale: Locale) => void;
}

const LanguageContext = createContext<Language>({ locale: "en", choose: () => undefined });

export function useLanguage(): Language {
  return useContext(LanguageContext);
}

export function LanguageProvider({ surface, children }: { surface: Surface; children: ReactNode }) {
  const [shown, setShown] = useState<{ locale: Locale; messages: AbstractIntlMessages } | null>(
    surface === "student" ? { locale: "en", messages: ENGLISH } : null,
  );
  const choose = useCallback(
    (locale: Locale) => {
      keepLocale(locale);
      loadMessages(locale, surface).then((messages) => setShown({ locale, messages }));
    },
    [surface],
  );
  useEffect(() => {
    const locale = preferredLocale();
    loadMessages(locale, surface).then((messages) => setShown({ locale, messages }));
  }, [surface]);
  useEffect(() => {
    if (!shown) return;
    document.documentElement.lang = shown.locale;
    document.documentElement.dir = DIRECTIONS[shown.locale];
  }, [shown]);
  if (!shown) return null;
  return (
    <LanguageContext.Provider value={{ locale: shown.locale, choose }}>
      <DirectionProvider dir={DIRECTIONS[shown.locale]}>
        <IntlProvider
          locale={shown.locale}
          messages={shown.messages}
          timeZone={Intl.DateTimeFormat().resolvedOptions().timeZone}
        >
          {children}
        </IntlProvider>
      </DirectionProvider>
    </LanguageContext.Provider>
  );
}

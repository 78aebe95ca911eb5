"use client";
/** What every page of a surface stands on: the store and the language. */
import { type ReactNode, useEffect, useState } from "react";
import { Provider } from "react-redux";
import type { Surface } from "@/i18n/catalogues";
import { LanguageProvider } from "@/i18n/provider";
import { reportFaults } from "@/report";
import { makeStore } from "@/store";
import { applyTheme } from "@/ui/theme";

if (typeof document !== "undefined") applyTheme();

export function Providers({ surface, children }: { surface: Surface; children: ReactNode }) {
  const [store] = useState(makeStore);
  useEffect(() => {
    const leaving = new AbortController();
    reportFaults(leaving.signal);
    return () => leaving.abort();
  }, []);
  return (
    <Provider store={store}>
      <LanguageProvider surface={surface}>{children}</LanguageProvider>
    </Provider>
  );
}

"use client";
/** What every page of a surface stands on: the store and the language. */
import { type ReactNode, useState } from "react";
import { Provider } from "react-redux";
import type { Surface } from "@/i18n/catalogues";
import { LanguageProvider } from "@/i18n/provider";
import { makeStore } from "@/store";
import { applyTheme } from "@/ui/theme";

if (typeof document !== "undefined") applyTheme();

export function Providers({ surface, children }: { surface: Surface; children: ReactNode }) {
  const [store] = useState(makeStore);
  return (
    <Provider store={store}>
      <LanguageProvider surface={surface}>{children}</LanguageProvider>
    </Provider>
  );
}

"use client";
/** What is wrong with a field, as a sentence. */
import { useTranslations } from "use-intl";
import type { Faults } from "./faults";

export function useFault(faults: Faults): (field: string) => string | undefined {
  const t = useTranslations("bank.faults");
  return (field) => {
    const fault = faults[field];
    if (!fault) return undefined;
    return "code" in fault ? t(fault.code) : fault.text;
  };
}

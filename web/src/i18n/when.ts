"use client";
/** Moments as people read them, with their zone. */
import { useFormatter } from "use-intl";

/** "25 Nov 2026, 10:42 CET"; `null` for no moment. */
export function useMoment(): (iso: string | null | undefined) => string | null {
  const format = useFormatter();
  return (iso) =>
    iso
      ? format.dateTime(new Date(iso), {
          day: "numeric",
          month: "short",
          year: "numeric",
          hour: "2-digit",
          minute: "2-digit",
          timeZoneName: "short",
        })
      : null;
}

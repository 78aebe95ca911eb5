/** What a student is granted, as its form holds it, and what comes of it. */
import type { Accommodation, AccommodationIn } from "@/api/staff.gen";
import { isWhole } from "../exams/faults";
import { isoOf, localOf } from "../localTime";

export interface Grant {
  extra_time_percent: string;
  extra_attempts: string;
  start_time: string;
  end_time: string;
}

export const MOST = { extra_time_percent: 400, extra_attempts: 10 } as const;

export function grantOf(found: Accommodation | null): Grant {
  return {
    extra_time_percent: String(found?.extra_time_percent ?? 0),
    extra_attempts: String(found?.extra_attempts ?? 0),
    start_time: localOf(found?.start_time ?? null),
    end_time: localOf(found?.end_time ?? null),
  };
}

/** As the API takes it. A moment that was not touched keeps its seconds. */
export function bodyOf(grant: Grant, before: Accommodation | null): AccommodationIn {
  const moment = (name: "start_time" | "end_time") =>
    before && localOf(before[name]) === grant[name] ? before[name] : isoOf(grant[name]);
  return {
    extra_time_percent: Number(grant.extra_time_percent),
    extra_attempts: Number(grant.extra_attempts),
    start_time: moment("start_time"),
    end_time: moment("end_time"),
  };
}

export type GrantFault = "whole" | "endBeforeStart";

export function grantFaults(grant: Grant): Partial<Record<keyof Grant, GrantFault>> {
  const found: Partial<Record<keyof Grant, GrantFault>> = {};
  for (const name of ["extra_time_percent", "extra_attempts"] as const) {
    if (!isWhole(grant[name], 0, MOST[name])) found[name] = "whole";
  }
  const [start, end] = [isoOf(grant.start_time), isoOf(grant.end_time)];
  if (start && end && end <= start) found.end_time = "endBeforeStart";
  return found;
}

/** In minutes, to the second. */
export function extended(minutes: number, percent: number): number {
  return Math.round(minutes * (100 + percent) * 0.6) / 60;
}

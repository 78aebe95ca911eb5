/**
 * The time that is left, by the server's word and this device's monotonic clock. Pure: both clocks are arguments,
 * in milliseconds: `now` as `performance.now()`, `wall` as `Date.now()`.
 */

export interface Now {
  now: number;
  wall: number;
}

/** What the server said last, and when it was heard. */
export interface Clock {
  remainingMs: number;
  heardAt: Now;
  version: number;
  /** ISO, by the server. */
  deadline: string;
  /** Server's time − this device's, ms. */
  offsetMs: number;
}

export interface Word {
  time_remaining_seconds: number;
  deadline_version: number;
  deadline: string;
  server_time: string;
}

export type Urgency = "calm" | "soon" | "urgent" | "over";

const MINUTE = 60_000;
/** At which the time left is announced, once each, in minutes. */
export const THRESHOLDS = [10, 5, 1] as const;
/** Beyond this, the two clocks have parted: the device slept, or its clock was set. */
const DRIFT_MS = 3_000;

/** `asked` and `heard`: when the request left and its answer came; the server spoke in between. */
export function heard(clock: Clock | null, word: Word, asked: Now, at: Now): Clock {
  if (clock && word.deadline_version < clock.version) return clock;
  const half = Math.max(0, at.now - asked.now) / 2;
  return {
    remainingMs: word.time_remaining_seconds * 1000,
    heardAt: { now: at.now - half, wall: at.wall - half },
    version: word.deadline_version,
    deadline: word.deadline,
    offsetMs: Date.parse(word.server_time) - (at.wall - half),
  };
}

/** After a reload without a connection: `now` began anew, the device's clock is all there is. */
export function recalled(clock: Clock, at: Now): Clock {
  const byDevice = Date.parse(clock.deadline) - (at.wall + clock.offsetMs);
  return { ...clock, remainingMs: Math.min(clock.remainingMs, byDevice), heardAt: at };
}

export function remainingMs(clock: Clock, at: Now): number {
  return Math.max(0, clock.remainingMs - (at.now - clock.heardAt.now));
}

/**
 * For the eye: who slept without a network has less time than the monotonic clock says. Nothing is closed by this, as
 * the device's clock may be set.
 */
export function shownMs(clock: Clock, at: Now): number {
  const asleep = hasDrifted(clock, at) ? at.wall - clock.heardAt.wall : 0;
  return Math.min(remainingMs(clock, at), Math.max(0, clock.remainingMs - asleep));
}

/** The monotonic clock may have stood still (sleep): the server must be asked again. */
export function hasDrifted(clock: Clock, at: Now): boolean {
  const byNow = at.now - clock.heardAt.now;
  const byWall = at.wall - clock.heardAt.wall;
  return Math.abs(byWall - byNow) > DRIFT_MS;
}

export function ageMs(clock: Clock, at: Now): number {
  return Math.max(at.now - clock.heardAt.now, at.wall - clock.heardAt.wall);
}

export function urgency(leftMs: number): Urgency {
  if (leftMs <= 0) return "over";
  if (leftMs < 5 * MINUTE) return "urgent";
  return leftMs < 10 * MINUTE ? "soon" : "calm";
}

/** The threshold, in minutes, that was passed between two looks at the clock; the last one, if several. */
export function passed(beforeMs: number, afterMs: number): number | null {
  const found = THRESHOLDS.filter((minutes) => beforeMs > minutes * MINUTE && afterMs <= minutes * MINUTE);
  return found.at(-1) ?? null;
}

/** "1:02:03", "42:07". Rounded up, so that 0:00 is shown when it is over and not before. */
export function asTimer(leftMs: number): string {
  const all = Math.ceil(leftMs / 1000);
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

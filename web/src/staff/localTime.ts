/** Moments in fields: what `datetime-local` shows and gives is in the zone of the device. */

/** "2026-11-25T10:42"; "" for no moment. */
export function localOf(iso: string | null): string {
  if (!iso) return "";
  const at = new Date(iso);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** RFC 3339 in UTC; null for what is no moment. */
export function isoOf(local: string): string | null {
  const at = new Date(local);
  return local && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

/** "Europe/Berlin" */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

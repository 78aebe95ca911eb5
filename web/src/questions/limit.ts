/** What a written answer may be: at most 64 KiB of UTF-8, no NUL, no half characters. */

export const MAX_BYTES = 64 * 1024;
export const WARN_BYTES = MAX_BYTES * 0.9;

const encoder = new TextEncoder();

/** Exact near the limit; texts far from it are not encoded at each key. */
export function bytesOf(text: string): number {
  return text.length * 3 < WARN_BYTES ? text.length : encoder.encode(text).length;
}

export function clip(typed: string): { text: string; cut: boolean } {
  const clean = typed.replaceAll("\0", "").replace(LONE, "\ufffd");
  if (clean.length * 3 <= MAX_BYTES || encoder.encode(clean).length <= MAX_BYTES) {
    return { text: clean, cut: false };
  }
  const room = new Uint8Array(MAX_BYTES);
  // `encodeInto` stops before a character that does not fit.
  const { read } = encoder.encodeInto(clean, room);
  return { text: clean.slice(0, read), cut: true };
}

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function wordsIn(text: string): number {
  const trimmed = text.trim();
  return trimmed ? trimmed.split(/\s+/).length : 0;
}

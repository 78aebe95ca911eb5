/** Numbers as people type them, and as the API takes them: ASCII digits with a decimal point. */

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const MAX_CHARACTERS = 100;
const ARABIC_ZERO = 0x0660;
const PERSIAN_ZERO = 0x06f0;

/**
 * The number that was typed, or null where it is none. A single comma is a decimal comma; Arabic and Persian
 * digits and signs are read. What could mean two things ("1,000.5", "1,000,000") is refused rather than guessed.
 */
export function numberOf(typed: string): string | null {
  const text = typed
    .trim()
    .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - ARABIC_ZERO))
    .replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - PERSIAN_ZERO))
    .replace(/[\u200e\u200f\u061c]/g, "")
    .replace(/[−–]/g, "-")
    .replace(/[٫,،]/g, ",");
  const pointed = text.includes(".") ? text : text.replace(",", ".");
  return pointed.length <= MAX_CHARACTERS && NUMBER.test(pointed) ? pointed : null;
}

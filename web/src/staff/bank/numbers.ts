/** Numbers as people type them, and as the API takes them: plain decimals. */

const PLAIN = /^-?\d{1,15}(\.\d{1,15})?$/;

/** "3,5", "٣٫٥" and " 3.5 " are 3.5; null for what is no number. */
export function decimal(typed: string): string | null {
  const text = typed
    .trim()
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/[\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) - 0x6f0))
    .replace(/[,\u066b]/, ".")
    .replace(/^\u2212/, "-")
    .replace(/^\+/, "")
    .replace(/^(-?)\./, "$10.")
    .replace(/\.$/, "");
  return PLAIN.test(text) ? text : null;
}

/** Without an exponent. */
export function plainNumber(value: number): string {
  const text = String(value);
  return text.includes("e") ? value.toFixed(15).replace(/\.?0+$/, "") : text;
}

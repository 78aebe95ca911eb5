/** What a text needs before it is rendered: whether it has any markup at all, and which dollars are TeX. */

const BLOCK = /^(?: {4}|\t|\s*(?:[#>|=_+*-]|\d+[.)]\s))/m;
const INLINE = /[`*_~$\\<[\]|]|&[#a-z]|https?:|www\.|\S@\S| {2}\n/i;

/** Plain texts, which most are, are shown without loading anything. */
export function isPlain(text: string): boolean {
  return !BLOCK.test(text) && !INLINE.test(text);
}

// Code, escapes and display formulas stay as they are. A formula between single dollars has no space at its inner
// ends, no blank line, and no digit after it: "$5 and $10" is money.
const DOLLARS =
  /```[\s\S]*?```|`[^`\n]*`|\\[\s\S]|\$\$[\s\S]*?\$\$|\$(?=\S)(?:\\[^\n]|[^$\\\n]|\n(?!\s*\n))*(?<=\S)\$(?!\d)|\$/g;

/** Dollars that are no TeX, escaped. */
export function escapeMoney(text: string): string {
  return text.replace(DOLLARS, (found) => (found === "$" ? "\\$" : found));
}

const BLOCK_STARTS = /^\s*(#{1,6}(?=\s|$)|>|[-+*](?=\s|$)|(?:[-_*=]\s*){3,}$|\|)|^\s*(\d+)([.)])(?=\s|$)/gm;

/** A text of one line ("1. e4", "- 5"): what would begin a list or a heading is meant as it stands. */
export function escapeBlocks(text: string): string {
  return text.replace(BLOCK_STARTS, (_, mark: string | undefined, digits?: string, dot?: string) =>
    mark === undefined ? `${digits}\\${dot}` : `\\${mark}`,
  );
}

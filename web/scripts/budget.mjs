// What a page costs before it can be used: its scripts, gzipped. A build above the budget fails.
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

/** Kilobytes (1,000 bytes): students sit in full rooms, behind slow lines. */
const EXAM_KB = 200;
const STUDENT_KB = 205;
const STAFF_KB = 300;
// Browsers that we support ignore `nomodule`.
const SCRIPT = /<script(?![^>]*\snomodule)[^>]*\ssrc="\/([^"?]+)/gi;

/** Lines to print. Throws where a page is too heavy. */
export async function weigh(folder, paths) {
  const sizes = new Map();
  const lines = [];
  const tooHeavy = [];
  for (const page of paths.filter((path) => path.endsWith("/index.html")).sort()) {
    const address = `/${relative(folder, page).replace(/index\.html$/, "")}`;
    const kilobytes = await scripts(folder, page, sizes);
    const budget = budgetOf(address);
    lines.push(`${kilobytes.toFixed(1).padStart(7)} KB of script  ${address}`);
    if (kilobytes > budget) tooHeavy.push(`${address} is above its budget: ${budget} KB`);
  }
  if (tooHeavy.length) throw new Error([...lines, ...tooHeavy].join("\n"));
  return lines;
}

function budgetOf(address) {
  if (address.startsWith("/admin/")) return STAFF_KB;
  return address === "/sit/" || address === "/practice/" ? EXAM_KB : STUDENT_KB;
}

async function scripts(folder, page, sizes) {
  const html = await readFile(page, "utf8");
  let bytes = 0;
  for (const name of new Set([...html.matchAll(SCRIPT)].map(([, src]) => decodeURI(src)))) {
    if (!sizes.has(name)) sizes.set(name, gzipSync(await readFile(join(folder, name)), { level: 9 }).length);
    bytes += sizes.get(name);
  }
  return bytes / 1000;
}

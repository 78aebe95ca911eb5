// The service worker (sw.js) with the list of what it keeps: the pages of students and all that they may load.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { build } from "esbuild";

const SOURCE = new URL("../src/offline/sw.ts", import.meta.url).pathname;
const PAGE = /^(?!admin\/|404|_not-found|_next\/)(?:[\w-]+\/)*(?:index\.html|[^/]+\.txt)$/;
const ASSET = /^_next\/static\/.*\.(js|css|woff2|svg|png|webp)$/;
/** Next builds these for the router of older applications; no page of ours loads them. */
const UNUSED = /\/chunks\/(pages\/|framework-|main-[0-9a-f]|polyfills-)/;
const OF_STAFF = /^admin\/.*\.(html|txt)$/;
const STAFF_API = "/api/v1/admin/";

/** Names below `folder`, given the paths of all files there. */
export async function writeServiceWorker(folder, paths) {
  const names = paths.map((path) => relative(folder, path));
  const kept = await ofStudents(folder, names);
  const files = await Promise.all(kept.map((name) => entry(folder, name)));
  await build({
    entryPoints: [SOURCE],
    outfile: join(folder, "sw.js"),
    bundle: true,
    minify: true,
    target: "es2022",
    logLevel: "warning",
    define: { FILES: JSON.stringify(files), "process.env.NODE_ENV": '"production"' },
  });
  return kept;
}

/**
 * Pages, and every asset that a page may load now or later, but for what only pages of staff name or what calls their
 * API. Which page loads a part later is known to the bundler's runtime alone: what nobody names is kept.
 */
async function ofStudents(folder, names) {
  const text = (name) => readFile(join(folder, name), "utf8");
  const together = async (wanted) => (await Promise.all(names.filter(wanted).map(text))).join("\n");
  const [students, staff] = await Promise.all([
    together((name) => PAGE.test(name)),
    together((name) => OF_STAFF.test(name)),
  ]);
  const kept = [];
  for (const name of names.sort()) {
    if (PAGE.test(name)) kept.push(name);
    if (!ASSET.test(name) || UNUSED.test(name)) continue;
    // Hashed names are unique.
    const file = basename(name);
    const foreign = staff.includes(file) && !students.includes(file);
    if (!foreign && !(await text(name)).includes(STAFF_API)) kept.push(name);
  }
  return kept;
}

/** The digest keeps a worker from mixing two builds: an install that meets another build fails, and is tried again. */
async function entry(folder, name) {
  const digest = createHash("sha256")
    .update(await readFile(join(folder, name)))
    .digest("base64");
  const hashed = name.startsWith("_next/static/");
  return { url: `/${name}`, revision: hashed ? null : digest, integrity: `sha256-${digest}` };
}

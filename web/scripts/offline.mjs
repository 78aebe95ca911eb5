// The service worker (sw.js) with the list of what it keeps: the pages of students and all that they may load.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";
import { build } from "esbuild";

const SOURCE = new URL("../src/offline/sw.ts", import.meta.url).pathname;
const PAGE = /^(?!admin\/|404|_not-found|_next\/)(?:[\w-]+\/)*(?:index\.html|[^/]+\.txt)$/;
const ASSET = /^_next\/static\/.*\.(js|css|woff2|svg|png|webp)$/;
const LOADS_MORE = new Set([".html", ".txt", ".js", ".css"]);

/** Names below `folder`, given the paths of all files there. */
export async function writeServiceWorker(folder, paths) {
  const names = paths.map((path) => relative(folder, path));
  const kept = await reachable(folder, names);
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

/** Hashed names are unique: a file may be loaded by whatever says its name. */
async function reachable(folder, names) {
  const assets = new Map(names.filter((name) => ASSET.test(name)).map((name) => [basename(name), name]));
  const found = new Set(names.filter((name) => PAGE.test(name)));
  for (const name of found) {
    if (!LOADS_MORE.has(extname(name))) continue;
    const text = await readFile(join(folder, name), "utf8");
    for (const [asset, path] of assets) if (text.includes(asset)) found.add(path);
  }
  return [...found].sort();
}

/** The digest keeps a worker from mixing two builds: an install that meets another build fails, and is tried again. */
async function entry(folder, name) {
  const digest = createHash("sha256")
    .update(await readFile(join(folder, name)))
    .digest("base64");
  const hashed = name.startsWith("_next/static/");
  return { url: `/${name}`, revision: hashed ? null : digest, integrity: `sha256-${digest}` };
}

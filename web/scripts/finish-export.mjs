// After `next build`: the hashes of each page's inline scripts for the content security policy (csp.json), and
// compressed neighbours of what is text, so that the server compresses nothing. Then the new export takes the place
// of the old one as a whole: a running gateway never serves half a build.
import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { weigh } from "./budget.mjs";
import { writeServiceWorker } from "./offline.mjs";

const PLACE = new URL("../out", import.meta.url).pathname;
const OUT = `${PLACE}.new`;
const REPLACED = `${PLACE}.old`;
const INLINE = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g;
const TEXT = /\.(html|js|css|json|svg|txt|webmanifest)$/;
const WORTH_BYTES = 1024;

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

async function everyFile(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function hashes(html) {
  return [
    ...new Set(
      [...html.matchAll(INLINE)].map(([, script]) => createHash("sha256").update(script).digest("base64")),
    ),
  ];
}

const paths = await everyFile(OUT);
const weights = await weigh(OUT, paths);

const policies = {};
for (const path of paths) {
  if (path.endsWith(".html")) {
    policies[`/${relative(OUT, path)}`] = hashes(await readFile(path, "utf8")).map(
      (hash) => `sha256-${hash}`,
    );
  }
}
await writeFile(join(OUT, "csp.json"), JSON.stringify(policies));
const offline = await writeServiceWorker(OUT, paths);

for (const path of [...paths, join(OUT, "sw.js")]) {
  if (!TEXT.test(path)) continue;
  const content = await readFile(path);
  if (content.length < WORTH_BYTES) continue;
  await writeFile(`${path}.br`, await brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  await writeFile(`${path}.gz`, await gzipped(content, { level: 9 }));
}

await rm(REPLACED, { recursive: true, force: true });
await rename(PLACE, REPLACED).catch((error) => {
  if (error.code !== "ENOENT") throw error;
});
await rename(OUT, PLACE);
await rm(REPLACED, { recursive: true, force: true });
console.log(weights.join("\n"));
console.log(`${Object.keys(policies).length} pages, ${offline.length} files work offline`);

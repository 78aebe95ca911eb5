import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// A static export: no Node server at run time. The gateway serves `out/`, or a CDN. It is built beside `out/`,
// and takes its place when it is complete (scripts/finish-export.mjs).
const config: NextConfig = {
  output: "export",
  distDir: "out.new",
  typescript: { ignoreBuildErrors: true }, // `npm run check` looks at the types; who runs the system need not wait
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  images: { unoptimized: true },
  // Messages are parsed at build; their parser stays out of the pages.
  webpack(config) {
    config.module.rules.push({
      test: /\.json$/,
      include: [here("src/i18n/en"), here("src/i18n/ar")],
      loader: here("scripts/compile-messages.cjs"),
    });
    config.resolve.alias["@formatjs/icu-messageformat-parser$"] = here("src/i18n/parsed.ts");
    return config;
  },
  experimental: { globalNotFound: true },
};

export default config;

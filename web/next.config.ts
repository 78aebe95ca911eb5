import type { NextConfig } from "next";

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
  experimental: { globalNotFound: true },
};

export default config;

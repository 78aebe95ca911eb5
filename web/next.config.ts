import type { NextConfig } from "next";

// A static export: no Node server at run time. The gateway serves `out/`, or a CDN.
const config: NextConfig = {
  output: "export",
  trailingSlash: true,
  reactStrictMode: true,
  poweredByHeader: false,
  images: { unoptimized: true },
  experimental: { globalNotFound: true },
};

export default config;

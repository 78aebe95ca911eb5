import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Providers } from "@/providers";
import "@/ui/tokens.css";

export const metadata: Metadata = { title: "Examhall administration", robots: { index: false } };
export const viewport: Viewport = { width: "device-width", initialScale: 1 };

export default function AdminLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" dir="ltr" suppressHydrationWarning>
      <body>
        <Providers surface="staff">{children}</Providers>
      </body>
    </html>
  );
}

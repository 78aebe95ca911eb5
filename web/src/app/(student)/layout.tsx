import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { Offline } from "@/offline/Offline";
import { Providers } from "@/providers";
import "@/ui/tokens.css";

export const metadata: Metadata = { title: "Examhall", description: "Timed online exams." };
export const viewport: Viewport = { width: "device-width", initialScale: 1 };

export default function StudentLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" dir="ltr" suppressHydrationWarning>
      <body>
        <Providers surface="student">{children}</Providers>
        <Offline />
      </body>
    </html>
  );
}

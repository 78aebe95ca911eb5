import "@/ui/tokens.css";
import { Providers } from "@/providers";
import { NotFound } from "@/ui/NotFound";

export const metadata = { title: "Examhall" };

export default function GlobalNotFound() {
  return (
    <html lang="en" dir="ltr" suppressHydrationWarning>
      <body>
        <Providers surface="student">
          <NotFound />
        </Providers>
      </body>
    </html>
  );
}

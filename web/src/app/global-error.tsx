"use client";
/** When even the frame of a page broke: words that need nothing else. */
import english from "@/i18n/en/common.json";

export default function GlobalError() {
  return (
    <html lang="en">
      <body>
        <main>
          <h1>{english.crashTitle}</h1>
          <p>{english.crash}</p>
          <button type="button" onClick={() => window.location.reload()}>
            {english.reload}
          </button>
        </main>
      </body>
    </html>
  );
}

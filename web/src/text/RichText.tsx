"use client";
/**
 * Authored and typed text: Markdown without HTML, and TeX. A plain text is shown at once; for another the renderer
 * is loaded, and the text is shown as typed until it is there.
 */
import { useEffect, useState } from "react";
import { isPlain } from "./markup";
import styles from "./text.module.css";

interface Props {
  text: string;
  /** In a line: no paragraphs, lists or headings. */
  inline?: boolean;
}

type Renderer = typeof import("./Markdown").Markdown;

let loaded: Renderer | null = null;

function useRenderer(needed: boolean): Renderer | null {
  const [renderer, setRenderer] = useState<Renderer | null>(() => loaded);
  useEffect(() => {
    if (!needed || renderer) return;
    let gone = false;
    async function load() {
      try {
        loaded = (await import("./Markdown")).Markdown;
        if (!gone) setRenderer(() => loaded);
      } catch {
        // No network: the text stays as typed until there is one.
      }
    }
    load();
    window.addEventListener("online", load);
    return () => {
      gone = true;
      window.removeEventListener("online", load);
    };
  }, [needed, renderer]);
  return renderer;
}

export function RichText({ text, inline = false }: Props) {
  const plain = isPlain(text);
  const Renderer = useRenderer(!plain);
  if (!plain && Renderer) return <Renderer text={text} inline={inline} />;
  return inline ? (
    <span className={styles.inline} dir="auto">
      {text}
    </span>
  ) : (
    <Paragraphs text={text} />
  );
}

function Paragraphs({ text }: { text: string }) {
  return (
    <div className={styles.text}>
      {text
        .trim()
        .split(/\n\s*\n/)
        .map((paragraph, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: paragraphs have their place
          <p key={place} dir="auto">
            {paragraph}
          </p>
        ))}
    </div>
  );
}

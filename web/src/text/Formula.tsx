"use client";
/**
 * A formula. KaTeX builds it node by node: as HTML text it would need style attributes, which the content security
 * policy forbids. What it can't read is shown as typed.
 */
import katex from "katex";
import "katex/dist/katex.min.css";
import { useLayoutEffect, useRef } from "react";

// No links out of formulas, no macros that grow without end, no letters as large as the page.
const LIMITS = { trust: false, strict: false, throwOnError: true, maxExpand: 200, maxSize: 20 } as const;

export function Formula({ tex, display }: { tex: string; display: boolean }) {
  const element = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (!element.current) return;
    try {
      katex.render(tex, element.current, { ...LIMITS, displayMode: display });
    } catch {
      element.current.replaceChildren(Object.assign(document.createElement("code"), { textContent: tex }));
    }
  }, [tex, display]);
  return <span ref={element} />;
}

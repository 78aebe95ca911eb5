"use client";
/** The renderer of texts with markup, and KaTeX with its fonts: a chunk of its own. Hostile input is expected. */
import "katex/dist/katex.min.css";
import type { JSX, ReactNode } from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import rehypeKatex from "rehype-katex";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { useTranslations } from "use-intl";
import { escapeBlocks, escapeMoney } from "./markup";
import { Picture } from "./Picture";
import styles from "./text.module.css";

// No links out of formulas, no macros that grow without end, no letters as large as the page.
const KATEX = { trust: false, strict: false, throwOnError: false, maxExpand: 200, maxSize: 20 } as const;

const REMARK: Options["remarkPlugins"] = [remarkGfm, remarkMath];

const LINK = /^(?:https?:|mailto:)/i;
const OWN_FILE = /^(?:\/api\/v1\/files\/)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

const BIDI = new Set(["p", "li", "td", "th", "blockquote"]);

interface Node {
  tagName?: string;
  properties?: Record<string, unknown>;
  children?: Node[];
}

/** Each block finds its own direction: an Arabic line among English ones. */
function rehypeDirections() {
  return function direct(node: Node): void {
    if (node.tagName && BIDI.has(node.tagName)) node.properties = { ...node.properties, dir: "auto" };
    for (const child of node.children ?? []) direct(child);
  };
}

const REHYPE: Options["rehypePlugins"] = [[rehypeKatex, KATEX], rehypeDirections];

/** A heading inside of a question is none of the page. */
function Heading({ children }: { children?: ReactNode }) {
  return (
    <p dir="auto">
      <strong>{children}</strong>
    </p>
  );
}

function Anchor({ href, children }: JSX.IntrinsicElements["a"]) {
  return href ? (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ) : (
    children
  );
}

function Image({ src, alt = "" }: JSX.IntrinsicElements["img"]) {
  const t = useTranslations("questions");
  const [, fileId] = (typeof src === "string" && OWN_FILE.exec(src)) || [];
  return fileId ? <Picture fileId={fileId} alt={alt} /> : t("named", { name: alt || "?" });
}

/** Of a task list. */
function Box({ checked }: JSX.IntrinsicElements["input"]) {
  return checked ? "☑" : "☐";
}

const COMPONENTS: Components = {
  h1: Heading,
  h2: Heading,
  h3: Heading,
  h4: Heading,
  h5: Heading,
  h6: Heading,
  a: Anchor,
  img: Image,
  input: Box,
  table: ({ children }) => (
    <div className={styles.wide}>
      <table>{children}</table>
    </div>
  ),
};

const BLOCKS = [
  "p",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "ul",
  "ol",
  "li",
  "blockquote",
  "pre",
  "table",
  "hr",
];

export function Markdown({ text, inline }: { text: string; inline: boolean }) {
  const shared = {
    remarkPlugins: REMARK,
    rehypePlugins: REHYPE,
    components: COMPONENTS,
    urlTransform: (url: string, key: string) =>
      key === "src" ? (OWN_FILE.test(url) ? url : "") : LINK.test(url) ? url : "",
  };
  return inline ? (
    <span className={styles.inline} dir="auto">
      <ReactMarkdown {...shared} disallowedElements={BLOCKS} unwrapDisallowed>
        {escapeBlocks(escapeMoney(text))}
      </ReactMarkdown>
    </span>
  ) : (
    <div className={styles.text}>
      <ReactMarkdown {...shared}>{escapeMoney(text)}</ReactMarkdown>
    </div>
  );
}

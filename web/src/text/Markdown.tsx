"use client";
/** The renderer of texts with markup, with KaTeX and its fonts: a chunk of its own. Hostile input is expected. */
import type { JSX, ReactNode } from "react";
import ReactMarkdown, { type Components, type ExtraProps, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { useTranslations } from "use-intl";
import { Formula } from "./Formula";
import { escapeBlocks, escapeMoney } from "./markup";
import { Picture } from "./Picture";
import styles from "./text.module.css";

const REMARK: Options["remarkPlugins"] = [remarkGfm, remarkMath];

const LINK = /^(?:https?:|mailto:)/i;
const OWN_FILE = /^(?:\/api\/v1\/files\/)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

interface Root {
  children: { tagName?: string; properties?: Record<string, unknown> }[];
}

/** Each block finds its own direction, a list as a whole: an Arabic one among English ones. Code is none. */
function rehypeDirections() {
  return function direct(root: Root): void {
    for (const block of root.children) {
      if (block.properties) block.properties.dir = block.tagName === "pre" ? "ltr" : "auto";
    }
  };
}

const REHYPE: Options["rehypePlugins"] = [rehypeDirections];

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

function Code({ className = "", children }: JSX.IntrinsicElements["code"]) {
  if (!className.includes("language-math")) return <code>{children}</code>;
  return <Formula tex={String(children)} display={className.includes("math-display")} />;
}

/** Formulas on a line of their own come as code blocks, too. */
function Preformatted({ node, children }: JSX.IntrinsicElements["pre"] & ExtraProps) {
  const [code] = node?.children ?? [];
  const math = code?.type === "element" && String(code.properties.className).includes("language-math");
  return math ? <p className={styles.wide}>{children}</p> : <pre dir="ltr">{children}</pre>;
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
  code: Code,
  pre: Preformatted,
  table: ({ dir, children }) => (
    <div className={styles.wide}>
      <table dir={dir}>{children}</table>
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

import { screen, waitFor } from "@testing-library/react";
import { beforeAll, describe, expect, it } from "vitest";
import { show } from "@/testing";
import { escapeBlocks, escapeMoney, isPlain } from "./markup";
import { RichText } from "./RichText";

// Loaded once: what is tested is what it makes of texts.
beforeAll(() => import("./Markdown"));

async function rendered(text: string, inline = false): Promise<HTMLElement> {
  const { container } = show(<RichText text={text} inline={inline} />);
  await waitFor(() => expect(container.textContent).not.toBe(text));
  return container;
}

describe("plain texts", () => {
  it.each(["Who wrote it?", "5 + 3 = ?", "one\ntwo", "كم عدد الأضلاع؟", "well-known, isn't it!"])(
    "%s needs no renderer",
    (text) => expect(isPlain(text)).toBe(true),
  );

  it.each(["**b**", "$x$", "# T", "1. a", "- a", "a_b", "<b>", "https://a.b", "a\\b", "&amp;", "    code"])(
    "%s needs the renderer",
    (text) => expect(isPlain(text)).toBe(false),
  );

  it("are shown at once, by paragraphs, each in its own direction", () => {
    const { container } = show(<RichText text={"One.\n\nاثنان."} />);
    expect([...container.querySelectorAll("p[dir=auto]")].map((p) => p.textContent)).toEqual([
      "One.",
      "اثنان.",
    ]);
  });

  it("are shown as typed until the renderer is there", () => {
    show(<RichText text="**bold**" />);
    expect(screen.queryByText("**bold**") ?? screen.queryByText("bold")).not.toBeNull();
  });
});

describe("markup", () => {
  it("renders Markdown and formulas", async () => {
    const container = await rendered("**bold** and $x^2$\n\n| a | b |\n| - | - |\n| 1 | 2 |");
    expect(container.querySelector("strong")?.textContent).toBe("bold");
    expect(container.querySelector(".katex math")).not.toBeNull();
    expect(container.querySelector("table[dir=auto] td")?.textContent).toBe("1");
  });

  it("renders formulas on lines of their own", async () => {
    const container = await rendered("$$\nx^2\n$$\n\n```\ncode\n```");
    expect(container.querySelector(".katex-display")).not.toBeNull();
    expect(container.querySelector("pre")?.textContent).toBe("code\n");
  });

  it("makes no heading of the page", async () => {
    const container = await rendered("# Title");
    expect(container.querySelector("h1, h2, h3, h4, h5, h6")).toBeNull();
    expect(container.querySelector("strong")?.textContent).toBe("Title");
  });

  it("keeps to one line where it should", async () => {
    const container = await rendered("1. **e4**", true);
    expect(container.querySelector("p, ol, li")).toBeNull();
    expect(container.textContent).toBe("1. e4");
  });

  it("shows pictures of our own files only", async () => {
    const container = await rendered("![a cat](https://evil.example/cat.png) **x**");
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain("a cat");
  });
});

describe("hostile texts", () => {
  it.each([
    "[x](javascript:alert(1)) **b**",
    "[x](data:text/html,hi) **b**",
    "[x](vbscript:x) **b**",
    "[x](JaVaScRiPt:alert(1)) **b**",
    "[x](//evil.example) **b**",
  ])("%s is no link", async (text) => {
    expect((await rendered(text)).querySelector("a")).toBeNull();
  });

  it("opens links elsewhere, without telling from where", async () => {
    const link = (await rendered("[x](https://example.org)")).querySelector("a");
    expect(link?.getAttribute("target")).toBe("_blank");
    expect(link?.getAttribute("rel")).toContain("noopener");
  });

  it("shows HTML by its characters", async () => {
    const container = await rendered("**b** <script>alert(1)</script> <img src=x onerror=alert(1)>");
    expect(container.querySelector("script, img")).toBeNull();
    expect(container.textContent).toContain("<script>alert(1)</script>");
  });

  it.each([
    String.raw`$\href{javascript:alert(1)}{x}$`,
    String.raw`$\url{javascript:alert(1)}$`,
    String.raw`$\includegraphics{https://evil.example/a.png}$`,
    String.raw`$\htmlStyle{position:fixed}{x}$`,
    String.raw`$\htmlClass{evil}{x}$`,
  ])("%s gets no trust", async (text) => {
    const container = await rendered(text);
    expect(container.querySelector("a, img, .evil, [style*=fixed]")).toBeNull();
  });

  it("gives up macros that grow without end", async () => {
    const bomb = String.raw`$\def\a#1{#1#1}\def\b#1{\a{\a{#1}}}\def\c#1{\b{\b{\b{#1}}}}\c{\c{\c{x}}}$`;
    const container = await rendered(bomb);
    expect(container.querySelector(".katex")).toBeNull();
    expect(container.querySelector("code")?.textContent).toBe(bomb.slice(1, -1));
  });
});

describe("dollars", () => {
  it.each([
    ["$5 and $10", "\\$5 and \\$10"],
    ["from $200 to $400.", "from \\$200 to \\$400."],
    ["$x$ costs $5", "$x$ costs \\$5"],
    ["$x$1", "\\$x\\$1"],
    ["$$\na\n$$", "$$\na\n$$"],
    ["`$a` b$", "`$a` b\\$"],
    ["\\$5", "\\$5"],
  ])("%s", (text, expected) => expect(escapeMoney(text)).toBe(expected));
});

describe("one line", () => {
  it.each([
    ["12. May", "12\\. May"],
    ["- 5", "\\- 5"],
    ["-5", "-5"],
    ["# 1", "\\# 1"],
    ["**b**", "**b**"],
    ["---", "\\---"],
    ["> 3", "\\> 3"],
  ])("%s", (text, expected) => expect(escapeBlocks(text)).toBe(expected));
});

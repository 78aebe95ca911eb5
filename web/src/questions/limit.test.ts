import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clip, MAX_BYTES, wordsIn } from "./limit";

const size = (text: string) => new TextEncoder().encode(text).length;

describe("written answers", () => {
  it("keep what fits", () => {
    expect(clip("a".repeat(MAX_BYTES))).toEqual({ text: "a".repeat(MAX_BYTES), cut: false });
  });

  it("are cut at the limit, between characters", () => {
    const { text, cut } = clip("😀".repeat(MAX_BYTES / 4 + 1));
    expect(cut).toBe(true);
    expect(text).toBe("😀".repeat(MAX_BYTES / 4));
    expect(size(clip(`a${"é".repeat(MAX_BYTES)}`).text)).toBeLessThanOrEqual(MAX_BYTES);
  });

  it("hold neither NUL nor half characters", () => {
    expect(clip("a\0b").text).toBe("ab");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (typed) => {
        const { text } = clip(typed + String.fromCharCode(0xd800));
        expect(text).toBe(new TextDecoder().decode(new TextEncoder().encode(text)));
      }),
    );
  });

  it("count their words", () => {
    expect(wordsIn("  one  two\nthree ")).toBe(3);
    expect(wordsIn(" ")).toBe(0);
  });
});

import { parse as original } from "@formatjs/icu-messageformat-parser";
import { describe, expect, it } from "vitest";
import compile from "../../scripts/compile-messages.cjs";
import { student as arabic } from "./ar";
import { staff as arabicStaff } from "./ar/staff";
import { student as english } from "./en";
import { staff as englishStaff } from "./en/staff";
import { parse } from "./parsed";

type Catalogue = { [key: string]: string | Catalogue };

function messages(catalogue: Catalogue): string[] {
  return Object.values(catalogue).flatMap((value) => (typeof value === "string" ? [value] : messages(value)));
}

describe.each(Object.entries({ english, arabic, englishStaff, arabicStaff }))("messages in %s", (_, all) => {
  it("mean the same when they are parsed at build", () => {
    const built = JSON.parse(compile(JSON.stringify(all)));
    expect(messages(built).map(parse)).toEqual(
      messages(all).map((message) => original(message, { captureLocation: false })),
    );
  });
});

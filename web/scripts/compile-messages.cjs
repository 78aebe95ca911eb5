// A webpack loader: the messages of a catalogue, parsed at build, so that no page loads the parser (10 KB).
// src/i18n/parsed.ts reads them.
const { parse, TYPE } = require("@formatjs/icu-messageformat-parser");

/** No text begins with this sign; use-intl takes nothing but strings. */
const PARSED = "\u0001";

function compiled(message) {
  if (typeof message === "object") {
    return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, compiled(value)]));
  }
  const elements = parse(message, { captureLocation: false });
  const plain = elements.every((element) => element.type === TYPE.literal);
  return plain ? elements.map((element) => element.value).join("") : PARSED + JSON.stringify(elements);
}

module.exports = (source) => JSON.stringify(compiled(JSON.parse(source)));

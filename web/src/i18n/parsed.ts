/** Stands for the parser of messages in what is built: scripts/compile-messages.cjs has done its work. */
import type { MessageFormatElement } from "@formatjs/icu-messageformat-parser";
import { TYPE } from "@formatjs/icu-messageformat-parser/lib/types";

export * from "@formatjs/icu-messageformat-parser/lib/types";

const PARSED = "\u0001";

export function parse(message: string): MessageFormatElement[] {
  if (!message.startsWith(PARSED)) return [{ type: TYPE.literal, value: message }];
  return JSON.parse(message.slice(PARSED.length)) as MessageFormatElement[];
}

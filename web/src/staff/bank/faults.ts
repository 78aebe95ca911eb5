/** What is wrong with a draft, by field: by the bank's own rules before it is sent, and by the server's answer. */
import type { ApiProblem } from "@/api/problem";
import { acceptedTexts, type Draft } from "./draft";
import { decimal } from "./numbers";
import { hasOptions } from "./types";

/** `code`: a message of the catalogue; `text`: a sentence of the server. */
export type Fault = { code: string } | { text: string };
/** By the way to the field: "text", "options.2.text", "key.value". */
export type Faults = Record<string, Fault>;

const MOST_POINTS = 1000;
const TYPE_NAMES = /^(body|single_choice|multi_choice|true_false|numeric|short_text|image)$/;

export function faultsOf(draft: Draft): Faults {
  const found: Faults = {};
  if (!draft.text.trim()) found.text = { code: "textMissing" };
  const points = decimal(draft.points);
  if (points === null || Number(points) <= 0 || Number(points) > MOST_POINTS || /\.\d{3}/.test(points)) {
    found.points = { code: "points" };
  }
  return { ...found, ...keyFaults(draft) };
}

function keyFaults(draft: Draft): Faults {
  if (hasOptions(draft.type)) return optionFaults(draft);
  if (draft.type === "true_false" && draft.isTrue === null)
    return { "key.correct": { code: "truthMissing" } };
  if (draft.type === "numeric") return numericFaults(draft);
  if (draft.type === "short_text" && !acceptedTexts(draft).length) {
    return { "key.accepted": { code: "acceptedMissing" } };
  }
  return {};
}

function optionFaults(draft: Draft): Faults {
  const found: Faults = {};
  if (draft.options.length < 2) found.options = { code: "tooFewOptions" };
  const seen = new Set<string>();
  for (const [place, option] of draft.options.entries()) {
    const text = option.text.trim();
    if (!text) found[`options.${place}.text`] = { code: "optionMissing" };
    else if (seen.has(text)) found[`options.${place}.text`] = { code: "optionTwice" };
    seen.add(text);
  }
  if (!draft.options.some((one) => one.correct)) found["key.correct"] = { code: "correctMissing" };
  return found;
}

function numericFaults(draft: Draft): Faults {
  const found: Faults = {};
  if (decimal(draft.value) === null) found["key.value"] = { code: "number" };
  const tolerance = decimal(draft.tolerance || "0");
  if (tolerance === null || Number(tolerance) < 0) found["key.tolerance"] = { code: "tolerance" };
  return found;
}

/** What the server says of fields; what it says of the whole stays a problem of its own. */
export function serverFaults(problem: ApiProblem): Faults {
  const found: Faults = {};
  if (problem.code === "external_id_taken") found.external_id = { code: "externalIdTaken" };
  for (const { loc, msg } of problem.errors ?? []) {
    let way = loc.map(String);
    while (way.length && (TYPE_NAMES.test(way[0] ?? "") || (way[0] === "text" && way.length > 1))) {
      way = way.slice(1);
    }
    if (way.length) found[way.join(".")] ??= { text: msg };
  }
  return found;
}

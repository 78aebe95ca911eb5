/** What is wrong with a mark as typed, before the server is asked. */

export type ScoreFault = "scoreMissing" | "scoreAbove" | "scoreDecimals";

export function scoreFault(typed: string, most: number): ScoreFault | null {
  const text = typed.trim();
  if (text === "" || !/^\d+(\.\d+)?$/.test(text)) return "scoreMissing";
  if (Number(text) > most) return "scoreAbove";
  return /\.\d{3,}$/.test(text) ? "scoreDecimals" : null;
}

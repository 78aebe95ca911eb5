/** One request in a hundred begins a trace here (W3C Trace Context); of the others the server decides. */
const SHARE = 0.01;

export function traced(): Record<string, string> {
  return Math.random() < SHARE ? { traceparent: `00-${hex(16)}-${hex(8)}-01` } : {};
}

function hex(bytes: number): string {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

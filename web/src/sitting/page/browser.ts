/** The browser's clocks, timers and chance, as a sitting takes them. */
import type { Surroundings } from "../surroundings";

export const BROWSER: Pick<Surroundings, "timers" | "now" | "random" | "online"> = {
  timers: {
    set: (work, ms) => window.setTimeout(work, ms),
    clear: (handle) => window.clearTimeout(handle as number | undefined),
  },
  now: () => ({ now: performance.now(), wall: Date.now() }),
  random: Math.random,
  online: () => navigator.onLine,
};

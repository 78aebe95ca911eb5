/** What the page reports of itself: looked away, pasted, lost the network. Batched; of no answer's content. */
import { spread } from "./backoff";
import type { Timers } from "./sender";
import type { EventKind, PageEvent, Transport } from "./transport";

const EVERY_MS = 10_000;
const MOST_AT_ONCE = 200;
const MOST_KEPT = 500;

export class Reporter {
  private events: PageEvent[] = [];
  private timer: unknown = null;
  private closed = false;

  constructor(
    private readonly transport: Transport,
    private readonly attempt: string,
    private readonly timers: Timers,
    private readonly random: () => number,
  ) {}

  add(kind: EventKind, at: string): void {
    if (this.closed) return;
    this.events = [...this.events, { kind, at }].slice(-MOST_KEPT);
    this.arm();
  }

  /** What there is still goes, once. */
  close(): void {
    this.closed = true;
    this.timers.clear(this.timer);
    if (this.events.length > 0) void this.send();
  }

  private arm(): void {
    this.timer ??= this.timers.set(() => void this.send(), spread(EVERY_MS, this.random));
  }

  private async send(): Promise<void> {
    const batch = this.events.slice(0, MOST_AT_ONCE);
    this.events = this.events.slice(MOST_AT_ONCE);
    const problem = await this.transport.report(this.attempt, batch);
    this.timer = null;
    const passing =
      problem !== null && (problem.status === 0 || problem.status >= 500 || problem.status === 429);
    if (passing) this.events = [...batch, ...this.events].slice(-MOST_KEPT);
    if (this.events.length > 0 && !this.closed) this.arm();
  }
}

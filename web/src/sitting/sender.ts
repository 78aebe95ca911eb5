/**
 * When unsaved answers travel: 2 s after the last change, at the latest 30 s ± 20 % after the first, all of them in
 * one batch, one batch at a time; after a failure again and again. What a reply means is its owner's to say.
 */
import { type ApiProblem, isProblem, problemOf } from "@/api/problem";
import { backoff, isLoggedOut, isPassing, spread } from "./backoff";
import type { Outgoing } from "./entry";
import type { SavedReply } from "./transport";

export interface Timers {
  set(work: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

export interface SenderOwner {
  /** Before anything is sent: what may have changed at the server unseen is known. A problem where it can't be. */
  ready(): Promise<ApiProblem | null>;
  /** What is to be sent, now. */
  pending(): Outgoing[];
  send(batch: Outgoing[]): Promise<SavedReply | ApiProblem>;
  saved(reply: SavedReply, batch: Outgoing[]): void;
  /** The server takes this one answer in no form: a fault of the request as a whole, narrowed down to it. */
  refused(answer: Outgoing, problem: ApiProblem): void;
  /** No answers are taken for this attempt (any more), or not from this session: the sender halts. */
  halted(problem: ApiProblem): void;
  sendState(state: SendState): void;
  /** False only where the device knows that it has no network. */
  online(): boolean;
}

export type SendState =
  /** `waiting`: for the typing to pause. */
  "idle" | "waiting" | "sending" | "retrying" | "offline" | "halted";

const QUIET_MS = 2_000;
const LATEST_MS = 30_000;
export const MOST_IN_A_BATCH = 200;

/** Of the request as it is: a smaller one may pass. */
export const NARROWED = new Set([413, 415, 422]);

export class Sender {
  private quiet: unknown = null;
  private latest: unknown = null;
  private retry: unknown = null;
  private inFlight: Promise<void> | null = null;
  private failures = 0;
  private overdue = false;
  private current: SendState = "idle";

  constructor(
    private readonly owner: SenderOwner,
    private readonly timers: Timers,
    private readonly random: () => number,
  ) {}

  /** The person changed an answer. */
  changed(): void {
    if (this.current === "halted") return;
    this.timers.clear(this.quiet);
    this.quiet = this.timers.set(() => this.due(), QUIET_MS);
    this.adopted();
  }

  /** Another tab changed one and will send it; this one only makes sure that somebody does. */
  adopted(): void {
    if (this.current === "halted") return;
    this.latest ??= this.timers.set(() => this.due(), spread(LATEST_MS, this.random));
    if (this.current === "idle") this.become("waiting");
  }

  /** What is unsaved, at once; resolves when there is an answer, or when there can't be one now. */
  async flush(): Promise<void> {
    if (this.inFlight) await this.inFlight;
    if (this.current !== "halted") await this.go();
  }

  /** The connection is back, or somebody looks at the page again: no waiting for the next try. */
  wake(): void {
    if (this.retry !== null && !this.inFlight) void this.go();
  }

  halt(): void {
    this.clear();
    this.become("halted");
  }

  /** After a new login, or when a pause is over. */
  restart(): void {
    if (this.current !== "halted") return;
    this.failures = 0;
    this.become("idle");
    void this.go();
  }

  private due(): void {
    // What failed is sent again by its own timer: typing on must not hurry it.
    if (this.retry !== null) return;
    if (this.inFlight) this.overdue = true;
    else void this.go();
  }

  private go(): Promise<void> {
    this.inFlight ??= this.round()
      .catch(() => {
        // Whatever broke, what was typed is still to be sent.
        if (this.current !== "halted") this.failed(problemOf(502, null));
      })
      .finally(() => {
        this.inFlight = null;
      });
    return this.inFlight;
  }

  private async round(): Promise<void> {
    this.clear();
    if (this.owner.pending().length > 0) {
      const problem = await this.owner.ready();
      if (this.current === "halted") return;
      if (problem) return this.failed(problem);
    }
    do {
      this.overdue = false;
      if (!(await this.sendAll(this.owner.pending()))) return;
    } while (this.overdue);
    this.become("idle");
    if (this.owner.pending().length > 0) this.adopted();
  }

  /** Batch after batch; false where one failed. What is typed meanwhile waits for its own pause. */
  private async sendAll(queue: Outgoing[]): Promise<boolean> {
    let most = MOST_IN_A_BATCH;
    let heldUp: ApiProblem | null = null;
    for (let at = 0; at < queue.length; ) {
      const batch = queue.slice(at, at + most);
      this.become("sending");
      const reply = await this.owner.send(batch);
      if (this.current === "halted") return false;
      if (!isProblem(reply)) {
        this.failures = 0;
        this.owner.saved(reply, batch);
      } else if (NARROWED.has(reply.status) && batch.length > 1) {
        most = Math.ceil(batch.length / 2);
        continue;
      } else if (NARROWED.has(reply.status) && !isPassing(reply)) {
        for (const answer of batch) this.owner.refused(answer, reply);
      } else if (NARROWED.has(reply.status)) {
        // Not by the server's word, but by that of something on the way: the others must not wait for it.
        heldUp = reply;
      } else {
        this.failed(reply);
        return false;
      }
      at += batch.length;
    }
    if (heldUp) this.failed(heldUp);
    return heldUp === null;
  }

  private failed(problem: ApiProblem): void {
    if (!isPassing(problem) || isLoggedOut(problem)) {
      this.halt();
      this.owner.halted(problem);
      return;
    }
    this.failures += 1;
    const wait = backoff(this.failures, this.random, problem.retryAfter);
    this.retry = this.timers.set(() => void this.go(), wait);
    this.become(problem.status === 0 && !this.owner.online() ? "offline" : "retrying");
  }

  private clear(): void {
    for (const handle of [this.quiet, this.latest, this.retry]) this.timers.clear(handle);
    this.quiet = null;
    this.latest = null;
    this.retry = null;
  }

  private become(state: SendState): void {
    this.current = state;
    this.owner.sendState(state);
  }
}

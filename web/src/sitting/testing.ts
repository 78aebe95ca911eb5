/** A clock and timers that tests move, and answers of a server that tests write. */
import { problemOf } from "@/api/problem";
import type { Outgoing } from "./entry";
import type { Timers } from "./sender";
import type { SavedReply } from "./transport";

export const AT = "2026-11-25T10:00:00.000Z";

export class FakeTime implements Timers {
  now = 0;
  private due: { at: number; work: () => void }[] = [];

  set(work: () => void, ms: number): unknown {
    const timer = { at: this.now + ms, work };
    this.due.push(timer);
    return timer;
  }

  clear(handle: unknown): void {
    this.due = this.due.filter((timer) => timer !== handle);
  }

  /** Lets what is due happen, in order, each with what follows from it. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await settled();
      const next = this.due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.now = next.at;
      this.clear(next);
      next.work();
    }
    this.now = until;
    await settled();
  }
}

/** All that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}

export function reply(batch: Outgoing[], seconds = 600): SavedReply {
  return {
    saved: batch.map(({ question_id, revision }) => ({
      question_id,
      revision,
      outcome: "stored",
      saved_at: AT,
    })),
    rejected: [],
    deadline: AT,
    deadline_version: 1,
    server_time: AT,
    time_remaining_seconds: seconds,
  };
}

export function problem(status: number, code = "unavailable", retryAfter?: number) {
  const body = { status, code, detail: code };
  return problemOf(status, status ? body : null, retryAfter === undefined ? null : String(retryAfter));
}

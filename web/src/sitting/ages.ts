/** Since when the server lacks answers: by question, in ms of a monotonic clock. */
import { type Entry, isUnsaved } from "./entry";

export class Ages {
  private readonly since = new Map<string, number>();

  /** After each change of an entry. */
  note(question: string, entry: Entry, now: number): void {
    if (!isUnsaved(entry)) this.since.delete(question);
    else if (!this.since.has(question)) this.since.set(question, now);
  }

  /** An answer to these has arrived: what is unsaved after that was typed while it travelled. */
  renew(questions: string[]): void {
    for (const question of questions) this.since.delete(question);
  }

  /** In seconds; 0 where all is saved. */
  oldest(now: number): number {
    return (now - Math.min(now, ...this.since.values())) / 1000;
  }
}

/** What of a sitting goes into the journal, and what becomes of the sitting where the journal refuses. */
import type { Clock } from "./clock";
import type { Entry } from "./entry";
import type { Sitting } from "./sitting";
import { act, type Opened } from "./slice";

export class Keeping {
  constructor(private readonly sitting: Sitting) {}

  all({ paper, clock, entries }: Opened): void {
    const { around, attempt, exam } = this.sitting;
    const sitting = { attempt, exam, paper, clock, touchedAt: around.now().wall };
    this.tolerate(around.journal?.putSitting(sitting));
    this.entries(entries);
  }

  entries(entries: Record<string, Entry>): void {
    this.tolerate(this.sitting.around.journal?.putEntries(this.sitting.attempt, entries));
  }

  clock(clock: Clock): void {
    this.tolerate(this.sitting.around.journal?.putClock(this.sitting.attempt, clock, clock.heardAt.wall));
  }

  async wipe(): Promise<void> {
    await this.sitting.around.journal?.wipe(this.sitting.attempt).catch(() => undefined);
  }

  private tolerate(write: Promise<void> | undefined): void {
    write?.catch(() => this.sitting.dispatch(act.storageRefused()));
  }
}

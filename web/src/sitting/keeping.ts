/** What of a sitting goes into the journal, and what becomes of the sitting where the journal refuses. */
import type { Clock } from "./clock";
import type { Entry } from "./entry";
import type { Sitting } from "./sitting";
import { act, type Opened } from "./slice";

export class Keeping {
  private closed = false;
  private wiped = false;

  constructor(private readonly sitting: Sitting) {}

  all(opened: Opened): void {
    this.put(opened);
    void this.whenItComes(opened);
  }

  private put({ paper, clock, entries }: Omit<Opened, "durable">): void {
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
    this.wiped = true;
    await this.sitting.around.journal?.wipe(this.sitting.attempt).catch(() => undefined);
  }

  close(): void {
    this.closed = true;
    this.sitting.around.journal?.close();
  }

  /** What a journal that comes late has goes to the page, and to the server by way of a look at what that holds. */
  private async whenItComes(opened: Opened): Promise<void> {
    const { sitting } = this;
    const { around, attempt } = sitting;
    const journal = await around.late;
    if (!journal) return;
    const kept = await journal.ofAttempt(attempt).catch(() => null);
    if (this.wiped) await journal.wipe(attempt).catch(() => undefined);
    if (this.closed || this.wiped) return journal.close();
    around.journal = journal;
    sitting.dispatch(act.journalCame({ opened: opened.entries, kept: kept?.entries ?? {} }));
    this.put({ ...opened, clock: sitting.state.clock, entries: {} });
    sitting.keep(Object.keys(sitting.state.entries));
    if (!kept) return;
    sitting.server.doubt();
    if (sitting.pending().length > 0) sitting.sender.changed();
  }

  private tolerate(write: Promise<void> | undefined): void {
    write?.catch(() => this.sitting.dispatch(act.storageRefused()));
  }
}

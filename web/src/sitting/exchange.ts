/** What a sitting and the server say to each other, in an order in which nothing older counts after something newer. */
import { type ApiProblem, isProblem } from "@/api/problem";
import { heard, type Now } from "./clock";
import { leavesAGap, type Outgoing } from "./entry";
import { reconcileAll } from "./reconcile";
import { MOST_IN_A_BATCH } from "./sender";
import type { Sitting } from "./sitting";
import { act } from "./slice";
import type { Ack, How, SavedReply } from "./transport";

/** Enough for another device to be taken up. */
const LONG_AWAY_MS = 60_000;

export class Exchange {
  /** Saves under way, and how many there were: what a resume tells is compared with what was sent meanwhile. */
  private saving: Promise<unknown> = Promise.resolve();
  private saves = 0;
  /** This device's clock, ms. */
  private hiddenAt: number | null = null;

  /** `doubtful`: another device may have saved what this page has not seen. */
  constructor(
    private readonly sitting: Sitting,
    private doubtful: boolean,
  ) {}

  /** Failed, asleep, looked away for long: what the server holds is looked at before more is sent. */
  doubt(): void {
    this.doubtful = true;
  }

  outOfSight(): void {
    this.hiddenAt = this.sitting.around.now().wall;
  }

  inSight(): void {
    if (this.sitting.around.now().wall - (this.hiddenAt ?? Infinity) > LONG_AWAY_MS) this.doubt();
    this.hiddenAt = null;
  }

  isDoubtful(): boolean {
    return this.doubtful;
  }

  async ready(): Promise<ApiProblem | null> {
    const gap = Object.values(this.sitting.state.entries).some(leavesAGap);
    return this.doubtful || gap ? this.resume() : null;
  }

  /** A round trip whose answer tells the time. With no answers it asks for nothing else. */
  async send(batch: Outgoing[], how?: How): Promise<SavedReply | ApiProblem> {
    const { around, attempt } = this.sitting;
    const asked = around.now();
    const saving = around.transport.save(attempt, batch, how);
    if (batch.length > 0) this.noteSent(batch, saving);
    const reply = await saving;
    if (!isProblem(reply)) this.hear(reply, asked);
    else if (batch.length > 0) this.doubt();
    return reply;
  }

  /** What the server holds now, and the time that is left. */
  async resume(): Promise<ApiProblem | null> {
    await this.saving;
    const { sitting, saves } = this;
    const asked = sitting.around.now();
    const attempt = await sitting.around.transport.resume(sitting.exam);
    // Not in progress any more: a submit tells what became of it, and changes nothing.
    if (isProblem(attempt))
      return attempt.code === "not_found" ? { ...attempt, code: "already_submitted" } : attempt;
    this.hear(attempt, asked);
    // Older than what was sent meanwhile.
    if (saves !== this.saves) return this.resume();
    this.doubtful = false;
    const entries = reconcileAll(attempt, sitting.state.entries);
    sitting.dispatch(act.reconciled(entries));
    sitting.keep(Object.keys(entries));
    return null;
  }

  /** Goes on without the sitting, whose state is gone; what fails is in the journal, for the next time. */
  async sendLast(answers: Outgoing[]): Promise<void> {
    const { around, attempt } = this.sitting;
    for (let at = 0; at < answers.length; at += MOST_IN_A_BATCH) {
      const batch = answers.slice(at, at + MOST_IN_A_BATCH);
      const reply = await around.transport.save(attempt, batch, { leaving: true }).catch(() => null);
      if (!reply || isProblem(reply)) return;
    }
  }

  /** The other tabs must know that this revision is no longer free; the journal, whose answer it was. */
  private noteSent(batch: Outgoing[], saving: Promise<unknown>): void {
    this.saves += 1;
    this.saving = Promise.allSettled([this.saving, saving]);
    this.sitting.dispatch(act.sent(batch));
    this.sitting.keep(batch.map((one) => one.question_id));
  }

  private hear(word: Ack, asked: Now): void {
    const clock = heard(this.sitting.state.clock, word, asked, this.sitting.around.now());
    this.sitting.dispatch(act.clockHeard(clock));
    this.sitting.keeping.clock(clock);
  }
}

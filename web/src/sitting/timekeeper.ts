/** Looks at the clock of a sitting: announces, asks the server where this device can't be trusted, ends at zero. */
import { type ApiProblem, isProblem, problemOf } from "@/api/problem";
import { backoff, isLoggedOut, isPassing, spread } from "./backoff";
import { ageMs, hasDrifted, passed, remainingMs, shownMs } from "./clock";
import type { Sitting } from "./sitting";
import { act } from "./slice";

const LOOK_MS = 500;
/** More than browsers slow down the timers of a page that nobody sees. */
const ASLEEP_MS = 90_000;
/** Who answers nothing for so long asks for the time: it may have been extended, or the attempt paused. */
const STALE_MS = 120_000;

export class TimeKeeper {
  private looking: unknown = null;
  private asking = false;
  private failures = 0;
  private notBefore = 0;
  private before: number | null = null;
  private lookedAt: number | null = null;
  private readonly staleMs: number;

  constructor(private readonly sitting: Sitting) {
    this.staleMs = spread(STALE_MS, sitting.around.random);
  }

  start(): void {
    this.looking = this.sitting.around.timers.set(() => {
      this.look();
      this.sitting.tellAge();
      this.start();
    }, LOOK_MS);
  }

  stop(): void {
    this.sitting.around.timers.clear(this.looking);
  }

  /** Worth asking again, though it failed a moment ago. */
  wake(): void {
    this.notBefore = 0;
    this.look();
  }

  private look(): void {
    const { clock, phase, fromJournal } = this.sitting.state;
    if (!clock || phase.kind !== "open") return;
    const at = this.sitting.around.now();
    if (at.wall - (this.lookedAt ?? at.wall) > ASLEEP_MS) this.sitting.server.doubt();
    this.lookedAt = at.wall;
    const left = remainingMs(clock, at);
    const shown = shownMs(clock, at);
    const minutes = this.before === null ? null : passed(this.before, shown);
    this.before = shown;
    if (minutes !== null && shown > 0) this.sitting.dispatch(act.thresholdPassed(minutes));
    if (left <= 0) this.sitting.timeIsUp();
    else if (fromJournal || hasDrifted(clock, at) || ageMs(clock, at) > this.staleMs) void this.ask();
  }

  private async ask(): Promise<void> {
    const { now, random } = this.sitting.around;
    if (this.asking || now().now < this.notBefore || this.sitting.state.sessionLost) return;
    this.asking = true;
    const problem = await this.question()
      .catch(() => problemOf(502, null))
      .finally(() => {
        this.asking = false;
      });
    this.failures = problem ? this.failures + 1 : 0;
    if (!problem) return;
    this.notBefore = now().now + backoff(this.failures, random, problem.retryAfter);
    if (!isPassing(problem) || isLoggedOut(problem)) this.sitting.halted(problem);
  }

  /** Gone on with from the journal: what the server holds is not known yet. */
  private async question(): Promise<ApiProblem | null> {
    if (this.sitting.state.fromJournal) return this.sitting.server.resume();
    const reply = await this.sitting.send([]);
    return isProblem(reply) ? reply : null;
  }
}

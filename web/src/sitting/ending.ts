/**
 * How a sitting ends or is held up: by the person, by the clock, elsewhere; paused, void. One thing at a time: each
 * scene plays until it knows what comes next.
 */
import { type ApiProblem, isProblem } from "@/api/problem";
import { asked, backoff, isLoggedOut, isPassing, spread } from "./backoff";
import { remainingMs } from "./clock";
import type { Outgoing } from "./entry";
import { MOST_IN_A_BATCH, NARROWED } from "./sender";
import type { Sitting } from "./sitting";
import { act, type HandedInBy, pendingOf, unheldOf } from "./slice";

/** A class whose time is up together does not come together. */
const SCATTER_MS = 2_000;
/** Less than this is no time to type in: the clocks were a little apart. */
const WORTH_REOPENING_MS = 5_000;
/** So long before the deadline, and until the grace is over, tries follow each other quickly. */
const LAST_MOMENTS_MS = 30_000;
const HURRIED_MS = 4_000;
/** Of the grace, so that what was waited for still arrives. */
const KEPT_FOR_THE_SUBMIT_MS = 8_000;
const LOOK_MS = 500;
const PAUSE_ASKED_MS = 15_000;
const MOST_SENT_ALONG = 1000;

type Scene = () => Promise<Scene | null>;

export class Ending {
  private waiting: (() => void) | null = null;
  private playing = false;
  private stopped = false;
  private givenUp = false;

  constructor(private readonly sitting: Sitting) {}

  /** No more answers are taken, by the server's word. */
  because(problem: ApiProblem): void {
    if (isLoggedOut(problem)) this.sitting.sessionIsLost();
    else this.play(this.after(problem));
  }

  /** Another tab says that it was handed in: the server knows. */
  async check(): Promise<void> {
    const problem = await this.sitting.server.resume();
    if (problem && !isPassing(problem)) this.because(problem);
  }

  /** By this device's clock. */
  timeIsUp(): void {
    this.play(() => this.confirmTime());
  }

  /** Once, whatever is pressed. */
  handIn(by: HandedInBy): void {
    this.play(() => this.submit(by));
  }

  /** The person goes back to the exam: only where the submit failed, and time is left. */
  giveUp(): void {
    const { phase, clock } = this.sitting.state;
    const left = clock ? remainingMs(clock, this.sitting.around.now()) : 0;
    if (phase.kind !== "handingIn" || phase.by !== "person" || !phase.problem || left <= 0) return;
    this.givenUp = true;
    this.wake();
  }

  /** Something says that it is worth trying now. */
  wake(): void {
    this.waiting?.();
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  private async play(first: Scene): Promise<void> {
    const { kind } = this.sitting.state.phase;
    if (this.playing || kind === "closed" || kind === "void") return;
    this.playing = true;
    this.givenUp = false;
    this.sitting.halt();
    try {
      for (let scene: Scene | null = first; scene && !this.stopped; ) scene = await scene();
    } finally {
      this.playing = false;
    }
  }

  private after(problem: ApiProblem): Scene {
    switch (problem.code) {
      case "time_limit_exceeded":
        return () => this.submit("time");
      case "already_submitted":
        return () => this.submit("elsewhere");
      case "attempt_paused":
        return () => this.pause();
      case "attempt_void":
        return () => this.rest({ kind: "void" });
      default:
        return () => this.rest({ kind: "lost", problem });
    }
  }

  /** More time may have been granted: the server is asked before anything is closed. */
  private async confirmTime(): Promise<Scene | null> {
    const { sitting } = this;
    sitting.become({ kind: "timeUp", problem: null });
    await this.wait(SCATTER_MS * sitting.around.random());
    for (let failures = 1; !this.stopped; ) {
      // What is in doubt waits: for the submit, or for a look at the server's where there is time for it.
      const batch = sitting.server.isDoubtful() ? [] : pendingOf(sitting.state).slice(0, MOST_IN_A_BATCH);
      const reply = await sitting.send(batch, { hurried: this.hurried() });
      if (isProblem(reply)) {
        if (!isPassing(reply)) return this.after(reply);
        sitting.become({ kind: "timeUp", problem: reply });
        await this.retry(reply, failures++);
      } else {
        sitting.saved(reply, batch);
        const left = reply.time_remaining_seconds * 1000;
        if (left > WORTH_REOPENING_MS) return this.goOn();
        await this.wait(left + 500);
      }
    }
    return null;
  }

  /** The same answers again and again, until the server has confirmed. */
  private async submit(by: HandedInBy): Promise<Scene | null> {
    const { sitting } = this;
    sitting.become({ kind: "handingIn", by, problem: null });
    await this.picturesOnTheWay();
    let answers: Outgoing[] = unheldOf(sitting.state).slice(0, MOST_SENT_ALONG);
    for (let failures = 1; !this.stopped; failures += 1) {
      if (by === "person" && !this.hurried() && (await this.showsAnother())) return this.goOn();
      const reply = await sitting.around.transport.submit(sitting.attempt, answers, {
        hurried: this.hurried(),
      });
      if (!isProblem(reply)) {
        const rejected = reply.rejected.map((one) => one.question_id);
        sitting.dispatch(act.handedIn({ answers, rejected }));
        await sitting.over();
        return this.rest({ kind: "closed", by, submitted: reply });
      }
      const takeable = pendingOf(sitting.state).slice(0, MOST_SENT_ALONG);
      const spoilt = NARROWED.has(reply.status);
      if (spoilt && takeable.length < answers.length) {
        // What was refused alone spoils the whole request: the others must not be lost with it.
        answers = takeable;
        continue;
      }
      if (!isPassing(reply)) return this.after(reply);
      // Something on the way lets it not through, and in a moment nothing is taken any more.
      if (spoilt && this.graceLeft() <= KEPT_FOR_THE_SUBMIT_MS) answers = [];
      sitting.become({ kind: "handingIn", by, problem: reply });
      if (!this.givenUp) await this.retry(reply, failures);
      const next = this.givenUp ? await this.backIn(by) : null;
      if (next) return next;
    }
    return null;
  }

  /** A submit without an answer may have arrived: only the server can say that there is an exam to go back to. */
  private async backIn(by: HandedInBy): Promise<Scene | null> {
    const problem = await this.sitting.server.resume();
    this.givenUp = false;
    if (!problem) return () => this.goOn();
    if (!isPassing(problem)) return this.after(problem);
    this.sitting.become({ kind: "handingIn", by, problem });
    return null;
  }

  /** A picture that is still being sent is waited for, while an answer is still taken. */
  private async picturesOnTheWay(): Promise<void> {
    const sending = () => Object.values(this.sitting.state.uploads).includes("sending");
    while (sending() && !this.stopped && this.graceLeft() > KEPT_FOR_THE_SUBMIT_MS) await this.wait(LOOK_MS);
  }

  /** Until nothing is taken any more, ms. */
  private graceLeft(): number {
    const { clock, paper } = this.sitting.state;
    if (!clock || !paper) return 0;
    const since = this.sitting.around.now().now - clock.heardAt.now;
    return clock.remainingMs - since + paper.grace_seconds * 1000;
  }

  /** Another device's answer has come to light: it is seen before anything is handed in. */
  private async showsAnother(): Promise<boolean> {
    const { sitting } = this;
    if (!sitting.server.isDoubtful()) return false;
    const others = () => Object.values(sitting.state.entries).filter((entry) => entry.other).length;
    const before = others();
    return (await sitting.server.resume()) === null && others() > before;
  }

  private async pause(): Promise<Scene | null> {
    this.sitting.become({ kind: "paused" });
    while (!this.stopped) {
      await this.wait(spread(PAUSE_ASKED_MS, this.sitting.around.random));
      const problem = await this.sitting.server.resume();
      if (!problem) return this.goOn();
      if (isLoggedOut(problem)) await this.retry(problem, 1);
      else if (!isPassing(problem) && problem.code !== "attempt_paused") return this.after(problem);
    }
    return null;
  }

  private async rest(phase: Parameters<Sitting["become"]>[0]): Promise<null> {
    this.sitting.become(phase);
    return null;
  }

  private async goOn(): Promise<null> {
    this.sitting.goOn();
    return null;
  }

  /** A lost session waits for the login, whatever else failed for a while. */
  private retry(problem: ApiProblem, failures: number): Promise<void> {
    if (!isLoggedOut(problem)) {
      const { random } = this.sitting.around;
      const wait = backoff(failures, random, problem.retryAfter);
      const hurried = Math.max(spread(HURRIED_MS, random), asked(random, problem.retryAfter));
      return this.wait(this.hurried() ? Math.min(wait, hurried) : wait);
    }
    this.sitting.sessionIsLost();
    return this.wait(null);
  }

  /** After the grace nothing is taken any more: there is time then. */
  private hurried(): boolean {
    const { paper } = this.sitting.state;
    const left = this.graceLeft();
    return left > 0 && left < LAST_MOMENTS_MS + (paper?.grace_seconds ?? 0) * 1000;
  }

  private wait(ms: number | null): Promise<void> {
    const { timers } = this.sitting.around;
    return new Promise((resolve) => {
      let handle: unknown = null;
      const go = () => {
        timers.clear(handle);
        this.waiting = null;
        resolve();
      };
      this.waiting = go;
      if (ms !== null) handle = timers.set(go, ms);
    });
  }
}

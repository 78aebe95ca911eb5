/**
 * A sitting: joins the store, the journal, the sender, the clock and the other tabs. It lives outside of React, so
 * that no page, dialog or login that comes and goes can lose what was typed.
 */
import type { UnknownAction } from "@reduxjs/toolkit";
import { api } from "@/api/base";
import type { ApiProblem } from "@/api/problem";
import type { Answer } from "@/questions/types";
import { Ages } from "./ages";
import { Ending } from "./ending";
import type { Entry, Outgoing } from "./entry";
import { Exchange } from "./exchange";
import { Keeping } from "./keeping";
import { Pictures } from "./pictures";
import { Reporter } from "./reporter";
import { Sender, type SenderOwner, type SendState } from "./sender";
import { act, type Opened, type Phase, pendingOf, type SittingState, sittingOf } from "./slice";
import type { Surroundings } from "./surroundings";
import { Tabs } from "./tabs";
import { TimeKeeper } from "./timekeeper";
import type { EventKind, How, SavedReply } from "./transport";

export class Sitting implements SenderOwner {
  readonly attempt: string;
  readonly exam: string;
  readonly server: Exchange;
  readonly keeping: Keeping;
  readonly sender: Sender;
  private readonly tabs: Tabs;
  private readonly reporter: Reporter;
  private readonly time: TimeKeeper;
  private readonly ending: Ending;
  private readonly ages = new Ages();
  private readonly pictures: Pictures;
  private gone = false;

  constructor(
    readonly around: Surroundings,
    opened: Opened,
  ) {
    const { timers, random, transport, user } = around;
    this.attempt = opened.paper.student_exam_id;
    this.exam = opened.paper.exam.id;
    this.server = new Exchange(this, opened.fromJournal);
    this.keeping = new Keeping(this);
    this.dispatch(act.opened(opened));
    this.sender = new Sender(this, timers, random);
    this.reporter = new Reporter(transport, this.attempt, timers, random);
    this.time = new TimeKeeper(this);
    this.ending = new Ending(this);
    this.tabs = new Tabs(user, this.attempt, {
      entry: (question, entry) => {
        this.dispatch(act.heardFromTab({ question, entry }));
        this.note(question, entry);
        this.sender.adopted();
      },
      closed: () => void this.ending.check(),
    });
    this.pictures = new Pictures(this);
    this.keeping.all(opened);
    for (const [question, entry] of Object.entries(opened.entries)) this.note(question, entry);
    if (this.pending().length > 0) this.sender.changed();
    this.time.start();
  }

  get state(): SittingState {
    return sittingOf(this.around.store.getState());
  }

  answer(question: string, answer: Answer): void {
    if (!this.takes(question)) return;
    this.dispatch(act.answered({ question, answer, at: this.moment() }));
    this.keep([question]);
    this.sender.changed();
  }

  /** Once the inputs are closed, only a picture that was on its way before. */
  private takes(question: string): boolean {
    const { phase, uploads } = this.state;
    const closing = phase.kind === "timeUp" || phase.kind === "handingIn" || phase.kind === "paused";
    return phase.kind === "open" || (closing && uploads[question] === "sending");
  }

  flag(question: string): void {
    this.dispatch(act.flagged(question));
    this.keep([question]);
  }

  decide(question: string, which: "mine" | "other"): void {
    this.dispatch(act.decided({ question, which, at: this.moment() }));
    this.keep([question]);
    this.sender.changed();
  }

  handIn(): void {
    this.ending.handIn("person");
  }

  /** Away from a submit that did not get through. */
  goBack(): void {
    this.ending.giveUp();
  }

  timeIsUp(): void {
    this.ending.timeIsUp();
  }

  report(kind: EventKind): void {
    this.reporter.add(kind, this.moment());
  }

  /** The network is back, somebody looks again, or asks for it: whatever waits, tries now. */
  wake(): void {
    this.sender.wake();
    this.ending.wake();
    this.time.wake();
  }

  /** Out of sight it may be ended without a word. */
  hidden(): void {
    this.server.outOfSight();
    void this.flush();
  }

  seen(): void {
    this.server.inSight();
    this.wake();
  }

  tellAge(): void {
    this.around.unsavedFor(this.ages.oldest(this.around.now().now));
  }

  /** What is unsaved, now: before leaving. */
  flush(): Promise<void> {
    return this.sender.flush();
  }

  sessionIsBack(): void {
    if (!this.state.sessionLost) return;
    this.dispatch(act.sessionChanged({ lost: false }));
    if (this.state.phase.kind === "open") this.sender.restart();
    this.ending.wake();
  }

  sessionIsLost(): void {
    this.dispatch(act.sessionChanged({ lost: true }));
  }

  /** Leaves the attempt as it is: it can be resumed. */
  leave(): void {
    const { phase, sessionLost } = this.state;
    const over = phase.kind === "closed" || phase.kind === "void" || sessionLost;
    // What waits for a look at the server's waits in the journal; where there is none, it would be lost.
    if (!over && !(this.server.isDoubtful() && this.state.durable)) void this.server.sendLast(this.pending());
    this.halt();
    this.time.stop();
    this.ending.stop();
    this.tabs.close();
    this.pictures.end();
    this.reporter.close();
    this.keeping.close();
    this.dispatch(act.left());
    this.gone = true;
  }

  /** The submit is acknowledged: nothing of it stays on this device. */
  async over(): Promise<void> {
    this.time.stop();
    this.reporter.close();
    this.tabs.tellClosed();
    this.pictures.end();
    this.dispatch(api.util.invalidateTags(["MyExams", "MyResults"]));
    await this.keeping.wipe();
  }

  become(phase: Phase): void {
    this.dispatch(act.phaseChanged(phase));
  }

  halt(): void {
    this.sender.halt();
  }

  goOn(): void {
    this.become({ kind: "open" });
    this.sender.restart();
  }

  dispatch(action: UnknownAction): void {
    if (!this.gone) this.around.store.dispatch(action);
  }

  send(batch: Outgoing[], how?: How): Promise<SavedReply | ApiProblem> {
    return this.server.send(batch, how);
  }

  ready(): Promise<ApiProblem | null> {
    return this.server.ready();
  }

  saved(reply: SavedReply, batch: Outgoing[]): void {
    this.dispatch(act.judged({ reply, batch }));
    const questions = batch.map((one) => one.question_id);
    this.ages.renew(questions);
    this.keep(questions);
  }

  pending(): Outgoing[] {
    return pendingOf(this.state);
  }

  refused(answer: Outgoing, problem: ApiProblem): void {
    this.dispatch(act.refusedAlone({ answer, problem }));
    this.keep([answer.question_id]);
  }

  halted(problem: ApiProblem): void {
    this.ending.because(problem);
  }

  sendState(state: SendState): void {
    this.dispatch(act.sendStateChanged(state));
  }

  online(): boolean {
    return this.around.online();
  }

  /** Into the journal, and to the other tabs. */
  keep(questions: string[]): void {
    const entries: Record<string, Entry> = {};
    for (const question of questions) {
      const entry = this.state.entries[question];
      if (!entry) continue;
      entries[question] = entry;
      this.note(question, entry);
      this.tabs.tellEntry(question, entry);
    }
    this.keeping.entries(entries);
  }

  private note(question: string, entry: Entry): void {
    this.ages.note(question, entry, this.around.now().now);
  }

  private moment(): string {
    return new Date(this.around.now().wall).toISOString();
  }
}

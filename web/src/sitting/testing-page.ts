/** A page for tests of the sender: what is typed on it, and a server that answers as the test says. */
import type { ApiProblem } from "@/api/problem";
import type { Outgoing } from "./entry";
import { Sender, type SenderOwner, type SendState } from "./sender";
import { FakeTime, reply } from "./testing";
import type { SavedReply } from "./transport";

export type Answer = SavedReply | ApiProblem;

export class Page implements SenderOwner {
  time = new FakeTime();
  unsaved = new Map<string, number>();
  batches: { at: number; batch: Outgoing[] }[] = [];
  states: SendState[] = [];
  refusals: string[] = [];
  faults: string[] = [];
  network = true;
  answers: (batch: Outgoing[]) => Answer | Promise<Answer> = reply;
  readonly sender: Sender;

  constructor(random = () => 0.5) {
    this.sender = new Sender(this, this.time, random);
  }

  type(question = "q"): void {
    this.unsaved.set(question, (this.unsaved.get(question) ?? 0) + 1);
    this.sender.changed();
  }

  ready = async () => null;

  pending = (): Outgoing[] =>
    [...this.unsaved].map(([question_id, revision]) => ({ question_id, revision, answer: String(revision) }));

  async send(batch: Outgoing[]): Promise<Answer> {
    this.batches.push({ at: this.time.now, batch });
    return this.answers(batch);
  }

  saved(_: SavedReply, batch: Outgoing[]): void {
    for (const { question_id, revision } of batch) {
      if (this.unsaved.get(question_id) === revision) this.unsaved.delete(question_id);
    }
  }

  refused(answer: Outgoing): void {
    this.refusals.push(answer.question_id);
    this.unsaved.delete(answer.question_id);
  }

  halted(fault: ApiProblem): void {
    this.faults.push(fault.code);
  }

  sendState(state: SendState): void {
    this.states.push(state);
  }

  online(): boolean {
    return this.network;
  }

  get state(): SendState | undefined {
    return this.states.at(-1);
  }

  get times(): number[] {
    return this.batches.map(({ at }) => at);
  }
}

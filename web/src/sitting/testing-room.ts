/** A room for tests of whole sittings: a server, a clock, and who sits there. */
import type { ApiProblem } from "@/api/problem";
import type { Attempt, Submitted } from "@/api/student.gen";
import { makeStore } from "@/store";
import { BLANK, type Outgoing } from "./entry";
import type { Journal } from "./journal";
import { Sitting } from "./sitting";
import type { Opened } from "./slice";
import { AT, FakeTime, reply } from "./testing";
import type { PageEvent, SavedReply, Transport } from "./transport";

export const START = Date.parse(AT);

export function attempt(seconds = 600): Attempt {
  const question = (id: string, order: number) =>
    ({
      id,
      order,
      type: "text",
      text: id,
      options: [],
      points: 1,
      media: [],
    }) as Attempt["questions"][number];
  return {
    student_exam_id: "attempt",
    attempt_no: 1,
    exam: {
      id: "exam",
      title: "Exam",
      instructions: "",
      duration_minutes: 10,
      question_count: 2,
      max_possible: 2,
    },
    questions: [question("q1", 1), question("q2", 2)],
    started_at: AT,
    deadline: AT,
    deadline_version: 1,
    deadline_reason: "start",
    grace_seconds: 30,
    server_time: AT,
    time_remaining_seconds: seconds,
    saved_answers: {},
  };
}

const RECEIPT = { status: "submitted", receipt: { answer_count: 1, answers_digest: "d" }, rejected: [] };

export class Server implements Transport {
  resumed: () => Attempt | ApiProblem = () => attempt();
  onSave: (answers: Outgoing[]) => SavedReply | ApiProblem = (answers) => reply(answers);
  onSubmit: () => ApiProblem | null = () => null;
  saves: Outgoing[][] = [];
  submits: Outgoing[][] = [];

  resume = async () => this.resumed();
  save = async (_: string, answers: Outgoing[]) => {
    this.saves.push(answers);
    return this.onSave(answers);
  };
  submit = async (_: string, answers: Outgoing[]) => {
    this.submits.push(answers);
    return this.onSubmit() ?? (RECEIPT as unknown as Submitted);
  };
  report = async (_id: string, _events: PageEvent[]) => null;
}

export class Room {
  server = new Server();
  readonly time = new FakeTime();
  /** Of the oldest unsaved answer, as reported, in seconds. */
  age = 0;
  /** Tabs of one browser hear each other; those of another person, or device, don't. */
  user = "ann";
  private readonly sittings: Sitting[] = [];

  readonly now = () => ({ now: this.time.now, wall: START + this.time.now });

  readonly sit = (
    opened: Partial<Opened> = {},
    journal: Journal | null = null,
    late?: Promise<Journal | null>,
  ): Sitting => {
    const { saved_answers: _, ...paper } = attempt();
    const clock = { remainingMs: 600_000, heardAt: this.now(), version: 1, deadline: AT, offsetMs: 0 };
    const sitting = new Sitting(
      {
        timers: this.time,
        now: this.now,
        random: () => 0.5,
        online: () => true,
        practice: false,
        unsavedFor: (seconds) => {
          this.age = seconds;
        },
        store: makeStore(),
        transport: this.server,
        journal,
        ...(late && { late }),
        user: this.user,
      },
      {
        paper,
        entries: { q1: BLANK, q2: BLANK },
        clock,
        durable: true,
        savedAt: null,
        fromJournal: false,
        ...opened,
      },
    );
    this.sittings.push(sitting);
    return sitting;
  };

  async clear(): Promise<void> {
    for (const one of this.sittings) one.leave();
    await new Promise<void>((resolve) => {
      indexedDB.deleteDatabase("examhall-journal").onsuccess = () => resolve();
    });
  }
}

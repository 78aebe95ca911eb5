/** What taking an exam asks of a server. The API is one, practice another. */
import type { ApiProblem } from "@/api/problem";
import type { Attempt, Submitted } from "@/api/student.gen";
import type { Outgoing } from "./entry";
import type { Stored } from "./reconcile";

export interface Ack {
  deadline: string;
  deadline_version: number;
  server_time: string;
  time_remaining_seconds: number;
}

export interface SavedReply extends Ack {
  saved: {
    question_id: string;
    outcome: "stored" | "repeat" | "superseded";
    revision: number;
    saved_at: string;
    current?: Stored | null;
  }[];
  rejected: { question_id: string; code: string; detail: string; current?: Stored | null }[];
}

export type EventKind = "tab_hidden" | "tab_visible" | "paste" | "copy" | "offline" | "online";

export interface PageEvent {
  kind: EventKind;
  at: string;
}

export interface How {
  /** It should travel on even if the page goes away. */
  leaving?: boolean;
  /** The last moments in which answers are taken: what hangs is given up soon. */
  hurried?: boolean;
}

/** Each resolves to a problem where it failed: `status` 0 where no answer came. */
export interface Transport {
  resume(examId: string): Promise<Attempt | ApiProblem>;
  /** An empty batch only asks for the time. */
  save(attemptId: string, answers: Outgoing[], how?: How): Promise<SavedReply | ApiProblem>;
  submit(attemptId: string, answers: Outgoing[], how?: How): Promise<Submitted | ApiProblem>;
  report(attemptId: string, events: PageEvent[]): Promise<ApiProblem | null>;
}

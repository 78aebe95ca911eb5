/** What a sitting is given: where it keeps and sends things, and the clocks, timers and chance of its browser. */
import type { AppStore } from "@/store";
import type { Now } from "./clock";
import type { Journal } from "./journal";
import type { Timers } from "./sender";
import type { Transport } from "./transport";

export interface Surroundings {
  store: AppStore;
  transport: Transport;
  journal: Journal | null;
  /** Where the browser's storage was slow: the journal, if it still comes. */
  late?: Promise<Journal | null>;
  user: string;
  /** Nothing is sent and nothing counts. */
  practice: boolean;
  /** Told now and then: the age of the oldest unsaved answer, in seconds; 0 where all are saved. */
  unsavedFor(seconds: number): void;
  timers: Timers;
  now(): Now;
  random(): number;
  online(): boolean;
}

/**
 * What this device keeps of an attempt until its submit is acknowledged: the paper, the clock, every answer. It
 * survives reloads and crashes. Everything is filed under the person: what another one left is never read.
 */
import type { Dexie, Table } from "dexie";
import type { Attempt } from "@/api/student.gen";
import type { Clock } from "./clock";
import type { Entry } from "./entry";

export type Paper = Omit<Attempt, "saved_answers">;

export interface JournalledSitting {
  user: string;
  attempt: string;
  exam: string;
  paper: Paper;
  clock: Clock | null;
  /** This device's clock, ms. */
  touchedAt: number;
}

interface JournalledAnswer {
  user: string;
  attempt: string;
  question: string;
  entry: Entry;
}

export interface Kept {
  sitting: JournalledSitting;
  entries: Record<string, Entry>;
}

interface Tables {
  sittings: Table<JournalledSitting, [string, string]>;
  answers: Table<JournalledAnswer, [string, string, string]>;
}

const NAME = "examhall-journal";
/** After this nothing of it can be saved any more, and it is not for the next person to find. */
const KEPT_MS = 14 * 24 * 3600 * 1000;

export class Journal {
  private constructor(
    private readonly db: Dexie & Tables,
    private readonly user: string,
  ) {}

  /** Rejects where the browser refuses storage. */
  static async open(user: string, now: number): Promise<Journal> {
    const { Dexie } = await import("dexie");
    const db = new Dexie(NAME) as Dexie & Tables;
    db.version(1).stores({ sittings: "[user+attempt], touchedAt", answers: "[user+attempt+question]" });
    const journal = new Journal(db, user);
    await journal.forgetBefore(now - KEPT_MS);
    return journal;
  }

  async ofExam(exam: string): Promise<Kept | null> {
    const mine = await this.db.sittings
      .where("[user+attempt]")
      .between(...this.range())
      .toArray();
    const found = mine.filter((one) => one.exam === exam).sort((a, b) => b.touchedAt - a.touchedAt);
    return found[0] ? this.withEntries(found[0]) : null;
  }

  async ofAttempt(attempt: string): Promise<Kept | null> {
    const sitting = await this.db.sittings.get([this.user, attempt]);
    return sitting ? this.withEntries(sitting) : null;
  }

  async putSitting(sitting: Omit<JournalledSitting, "user">): Promise<void> {
    await this.db.sittings.put({ ...sitting, user: this.user });
  }

  /** Several tabs write here: what is older than what is there changes nothing. */
  async putEntries(attempt: string, entries: Record<string, Entry>): Promise<void> {
    const questions = Object.keys(entries);
    await this.db.transaction("rw", this.db.answers, async () => {
      const known = await this.db.answers.bulkGet(
        questions.map((question): [string, string, string] => [this.user, attempt, question]),
      );
      const before = new Map(known.map((row) => [row?.question, row?.entry]));
      const rows = Object.entries(entries)
        .filter(([question, entry]) => !isOlder(entry, before.get(question)))
        .map(([question, entry]) => ({ user: this.user, attempt, question, entry }));
      await this.db.answers.bulkPut(rows);
    });
  }

  async putClock(attempt: string, clock: Clock, now: number): Promise<void> {
    await this.db.sittings.where({ user: this.user, attempt }).modify({ clock, touchedAt: now });
  }

  async wipe(attempt: string): Promise<void> {
    await this.remove(this.user, attempt);
  }

  close(): void {
    this.db.close();
  }

  private async withEntries(sitting: JournalledSitting): Promise<Kept> {
    const rows = await this.db.answers
      .where("[user+attempt+question]")
      .between(...this.range(sitting.attempt))
      .toArray();
    return { sitting, entries: Object.fromEntries(rows.map((row) => [row.question, row.entry])) };
  }

  private range(attempt?: string): [unknown[], unknown[]] {
    const key = attempt === undefined ? [this.user] : [this.user, attempt];
    return [
      [...key, LOWEST],
      [...key, HIGHEST],
    ];
  }

  private async forgetBefore(moment: number): Promise<void> {
    const old = await this.db.sittings.where("touchedAt").below(moment).toArray();
    for (const one of old) await this.remove(one.user, one.attempt);
  }

  private async remove(user: string, attempt: string): Promise<void> {
    await this.db.transaction("rw", this.db.sittings, this.db.answers, async () => {
      await this.db.sittings.delete([user, attempt]);
      await this.db.answers
        .where("[user+attempt+question]")
        .between([user, attempt, LOWEST], [user, attempt, HIGHEST])
        .delete();
    });
  }
}

/** A revision that was not sent yet has had several texts: the last one counts. */
function isOlder(entry: Entry, known: Entry | undefined): boolean {
  if (!known || entry.revision !== known.revision)
    return known !== undefined && entry.revision < known.revision;
  return (entry.changedAt ?? "") < (known.changedAt ?? "");
}

/** Bounds of strings in a key of IndexedDB. */
const LOWEST = "";
const HIGHEST = "\uffff";

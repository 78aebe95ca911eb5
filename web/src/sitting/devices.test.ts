/** Two devices of one person, a server by the contract's rules, and a network that loses requests and replies. */
import "fake-indexeddb/auto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Outgoing } from "./entry";
import { same } from "./entry";
import type { Stored } from "./reconcile";
import type { Sitting } from "./sitting";
import { AT, problem, reply } from "./testing";
import { attempt, Room, Server } from "./testing-room";
import type { SavedReply } from "./transport";

type Network = "up" | "down" | "mute";

class Devices {
  readonly held: Record<string, Stored> = {};
  readonly network: Network[] = ["up", "up"];
  readonly rooms = [this.room(0), this.room(1)];
  readonly sittings: Sitting[] = this.rooms.map((room) => room.sit());
  /** Answers that were acknowledged to a device and then overwritten by the other, which had not shown them. */
  readonly unseen: string[] = [];
  private readonly owner: Record<string, number> = {};

  private room(device: number): Room {
    const room = new Room();
    room.user = `ann-${device}`;
    const server = new Server();
    server.onSave = (answers) => this.through(device, () => this.save(device, answers));
    server.resumed = () => this.through(device, () => ({ ...attempt(), saved_answers: { ...this.held } }));
    room.server = server;
    return room;
  }

  /** `mute`: the request arrives, its reply does not. */
  private through<T>(device: number, work: () => T): T | ReturnType<typeof problem> {
    if (this.network[device] === "down") return problem(0);
    const done = work();
    return this.network[device] === "mute" ? problem(0) : done;
  }

  private save(device: number, answers: Outgoing[]): SavedReply {
    const told = reply([]);
    for (const one of answers) {
      const { question_id, answer, revision } = one;
      const known = this.held[question_id];
      if (!known || revision > known.revision) {
        this.overwrite(device, question_id, known);
        this.held[question_id] = { answer, revision, saved_at: AT };
        this.owner[question_id] = device;
        told.saved.push({ question_id, outcome: "stored", revision, saved_at: AT });
      } else if (revision < known.revision) {
        told.saved.push({
          question_id,
          outcome: "superseded",
          revision: known.revision,
          saved_at: AT,
          current: known,
        });
      } else if (same(known.answer, answer)) {
        told.saved.push({ question_id, outcome: "repeat", revision, saved_at: AT });
      } else told.rejected.push({ question_id, code: "conflict", detail: "", current: known });
    }
    return told;
  }

  private overwrite(device: number, question: string, known: Stored | undefined): void {
    if (!known || this.owner[question] === device) return;
    if (!this.seen[device]?.has(JSON.stringify(known.answer))) this.unseen.push(String(known.answer));
  }

  /** What has stood on each page, as the answer or beside it. */
  readonly seen = this.sittings.map((sitting) => {
    const texts = new Set<string>();
    sitting.around.store.subscribe(() => {
      const entry = sitting.state.entries.q1;
      texts.add(JSON.stringify(entry?.answer ?? null));
      if (entry?.other) texts.add(JSON.stringify(entry.other.answer));
    });
    return texts;
  });

  async leave(): Promise<void> {
    for (const room of this.rooms) await room.clear();
  }
}

const device = fc.nat(1);
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("type" as const), device }),
    fc.record({
      kind: fc.constant("network" as const),
      device,
      to: fc.constantFrom<Network>("up", "down", "mute"),
    }),
    fc.record({ kind: fc.constant("pass" as const), device, ms: fc.constantFrom(1000, 2500, 12_000) }),
    fc.record({ kind: fc.constant("wake" as const), device }),
  ),
  { maxLength: 40, size: "max" },
);

describe("two devices", () => {
  it("never overwrite an acknowledged answer of the other that they have not shown", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const devices = new Devices();
        let typed = 0;
        for (const step of all) {
          const sitting = devices.sittings[step.device];
          if (step.kind === "type") sitting?.answer("q1", `${step.device}: ${++typed}`);
          else if (step.kind === "network") devices.network[step.device] = step.to;
          else if (step.kind === "wake") sitting?.wake();
          else await devices.rooms[step.device]?.time.pass(step.ms);
        }
        await devices.leave();
        expect(devices.unseen).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

/** What the tabs of one browser tell each other about an attempt. What comes in is looked at before it is believed. */
import * as z from "zod/mini";
import type { Entry } from "./entry";

const AnswerShape = z.union([z.string(), z.array(z.string()), z.null()]);
const EntryShape = z.object({
  answer: AnswerShape,
  revision: z.number(),
  acked: z.number(),
  sent: z.array(z.object({ revision: z.number(), digest: z.number() })),
  changedAt: z.nullable(z.string()),
  other: z.nullable(z.object({ answer: AnswerShape, revision: z.number(), savedAt: z.nullable(z.string()) })),
  refused: z.nullable(z.object({ revision: z.number(), code: z.string(), detail: z.string() })),
  flagged: z.boolean(),
});

const Message = z.union([
  z.object({ kind: z.literal("entry"), question: z.string(), entry: EntryShape }),
  z.object({ kind: z.literal("closed") }),
]);
type Message = z.infer<typeof Message>;

export interface Heard {
  entry(question: string, entry: Entry): void;
  /** The attempt was handed in, in another tab. */
  closed(): void;
}

export class Tabs {
  private readonly channel: BroadcastChannel | null;

  constructor(user: string, attempt: string, heard: Heard) {
    this.channel =
      typeof BroadcastChannel === "undefined"
        ? null
        : new BroadcastChannel(`examhall-sitting-${user}-${attempt}`);
    if (!this.channel) return;
    this.channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const read = Message.safeParse(data);
      if (!read.success) return;
      if (read.data.kind === "closed") heard.closed();
      else heard.entry(read.data.question, read.data.entry);
    };
  }

  tellEntry(question: string, entry: Entry): void {
    this.tell({ kind: "entry", question, entry });
  }

  tellClosed(): void {
    this.tell({ kind: "closed" });
  }

  close(): void {
    this.channel?.close();
  }

  private tell(message: Message): void {
    this.channel?.postMessage(message);
  }
}

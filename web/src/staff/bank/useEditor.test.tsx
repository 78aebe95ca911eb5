import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { Provider } from "react-redux";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Question } from "@/api/staff.gen";
import { signedIn, signedOut } from "@/session/token";
import { makeStore } from "@/store";
import { useEditor } from "./useEditor";

const USER = { id: "u", email: "a@example.com", name: "A", role: "admin" as const, groups: [] };
const QUESTION: Question = {
  id: "q1",
  version: 1,
  version_id: "v1",
  external_id: null,
  type: "text",
  text: "Why?",
  options: [],
  points: 1,
  category: "",
  tags: [],
  explanation: null,
  media: [],
  key: null,
  archived: false,
  created_at: "",
  updated_at: "",
};
const THEIRS = { ...QUESTION, version: 2, text: "Why not?" };

let sent: unknown[] = [];

beforeEach(() => {
  sent = [];
  signedIn({ access_token: "t", expires_in: 1800, user: USER });
});
// It ends what editors have left, too.
afterEach(() => signedOut());

function answering(answer: (method: string, body: { version?: number; text?: string }) => Response) {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (_url, init) => {
    const body = init?.body ? JSON.parse(String(init.body)) : {};
    if (init?.method !== "GET") sent.push(body);
    return answer(init?.method ?? "GET", body);
  });
}

function edited(question: Question | null) {
  const store = makeStore();
  const wrapper = ({ children }: { children: ReactNode }) => <Provider store={store}>{children}</Provider>;
  return renderHook(() => useEditor(question, undefined), { wrapper });
}

describe("an edited question", () => {
  it("is saved as the version after the one that was opened", async () => {
    answering((_method, body) => Response.json({ ...QUESTION, version: 2, text: body.text }));
    const { result } = edited(QUESTION);
    act(() => result.current.change({ text: "Why then?" }));
    expect(result.current.dirty).toBe(true);
    const saved = await act(() => result.current.save());
    expect(saved.outcome).toBe("saved");
    expect(sent).toMatchObject([{ type: "text", text: "Why then?", version: 1 }]);
    expect(result.current.dirty).toBe(false);
    expect(result.current.base?.version).toBe(2);
  });

  it("is not sent while something is wrong with it", async () => {
    answering(() => Response.json(null, { status: 500 }));
    const { result } = edited(QUESTION);
    act(() => result.current.change({ text: " " }));
    expect((await act(() => result.current.save())).outcome).toBe("faults");
    expect(result.current.faults.text).toEqual({ code: "textMissing" });
    expect(sent).toEqual([]);
  });

  it("shows what another has saved meanwhile, and is saved over it where one says so", async () => {
    answering((method, body) => {
      if (method === "GET") return Response.json(THEIRS);
      if (body.version === 2) return Response.json({ ...THEIRS, version: 3, text: body.text });
      return Response.json({ status: 409, code: "stale_version", detail: "" }, { status: 409 });
    });
    const { result } = edited(QUESTION);
    act(() => result.current.change({ text: "Mine" }));
    expect((await act(() => result.current.save())).outcome).toBe("stale");
    expect(result.current.theirs).toEqual(THEIRS);
    expect(result.current.draft.text).toBe("Mine");
    expect((await act(() => result.current.save(2))).outcome).toBe("saved");
    expect(result.current.theirs).toBeNull();
    expect(result.current.base?.version).toBe(3);
  });

  it("keeps what was typed when a request fails, and while it is under way", async () => {
    let answer: (response: Response) => void = () => undefined;
    vi.spyOn(globalThis, "fetch").mockImplementation(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const { result } = edited(QUESTION);
    act(() => result.current.change({ text: "Sent" }));
    const saving = act(async () => {
      const outcome = result.current.save();
      await vi.waitFor(() => expect(globalThis.fetch).toHaveBeenCalled());
      result.current.change({ text: "Typed meanwhile" });
      answer(Response.json({ ...QUESTION, version: 2, text: "Sent" }));
      return outcome;
    });
    expect((await saving).outcome).toBe("saved");
    expect(result.current.draft.text).toBe("Typed meanwhile");
    expect(result.current.dirty).toBe(true);

    vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("no network"));
    expect((await act(() => result.current.save())).outcome).toBe("failed");
    expect(result.current.draft.text).toBe("Typed meanwhile");
  });

  it("is there again, unsaved, when one left and comes back", () => {
    const first = edited(QUESTION);
    act(() => first.result.current.change({ text: "Half written" }));
    first.unmount();
    const again = edited(QUESTION);
    expect(again.result.current.draft.text).toBe("Half written");
    expect(again.result.current.restored).toBe(true);
    act(() => again.result.current.discard());
    again.unmount();
    expect(edited(QUESTION).result.current.restored).toBe(false);
  });
});

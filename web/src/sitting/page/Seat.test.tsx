import "fake-indexeddb/auto";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Provider } from "react-redux";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { logout } from "@/session/logout";
import { show } from "@/testing";
import type { Sitting } from "../sitting";
import { problem } from "../testing";
import { Room } from "../testing-room";
import { Seat } from "./Seat";
import { useOpening } from "./useOpening";

vi.mock("@/session/logout", () => ({ logout: vi.fn(async () => undefined) }));
vi.mock("./useOpening", () => ({ useOpening: vi.fn() }));

let room: Room;
let sitting: Sitting;
const ask = vi.fn<(question?: string) => boolean>();

beforeEach(() => {
  vi.mocked(logout).mockClear();
  ask.mockReset();
  vi.stubGlobal("confirm", ask);
  room = new Room();
  sitting = room.sit();
  vi.mocked(useOpening).mockReturnValue({ place: { kind: "sitting", sitting }, again: () => undefined });
  const session = { state: "unknown" } as const;
  show(
    <Provider store={sitting.around.store}>
      <Seat person={{ id: "ann", name: "Ann" }} exam="exam" session={session} />
    </Provider>,
  );
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await room.clear();
});

async function logOut(): Promise<void> {
  await userEvent.click(screen.getByText("Ann"));
  await userEvent.click(screen.getByText("Log out"));
}

it("who logs out while something can't be saved is asked, and may stay", async () => {
  room.server.onSave = () => problem(0);
  room.server.resumed = () => problem(0);
  sitting.answer("q1", "mine");
  ask.mockReturnValue(false);
  await logOut();
  expect(ask).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("is not saved"));
  expect(logout).not.toHaveBeenCalled();
  ask.mockReturnValue(true);
  await userEvent.click(screen.getByText("Log out"));
  expect(logout).toHaveBeenCalledOnce();
});

it("what can be saved is saved first, and nothing is asked", async () => {
  sitting.answer("q1", "mine");
  await logOut();
  expect(room.server.saves.flat()).toMatchObject([{ question_id: "q1", answer: "mine" }]);
  expect(ask).not.toHaveBeenCalled();
  expect(logout).toHaveBeenCalledOnce();
});

"use client";
/** The sitting for the components of its page: commands by `useSitting`, what is shown by `useShown`. */
import { createContext, useContext } from "react";
import { useSelector } from "react-redux";
import type { AppState } from "@/store";
import type { Sitting } from "../sitting";
import { type SittingState, sittingOf } from "../slice";

export const SittingContext = createContext<Sitting | null>(null);

export function useSitting(): Sitting {
  const sitting = useContext(SittingContext);
  if (!sitting) throw new Error("This is a part of the exam page.");
  return sitting;
}

export function useShown<T>(pick: (state: SittingState) => T): T {
  return useSelector((state: AppState) => pick(sittingOf(state)));
}

/** The Redux store of a surface. Reducers of a part are added by the surface that has it. */
import { combineSlices, configureStore } from "@reduxjs/toolkit";
import { setupListeners } from "@reduxjs/toolkit/query";
import { api } from "@/api/base";

// biome-ignore lint/suspicious/noEmptyInterface: parts add themselves by declaration merging
export interface LazyLoadedSlices {}

/** `rootReducer.inject(slice)` where a part is loaded. */
export const rootReducer = combineSlices(api).withLazyLoadedSlices<LazyLoadedSlices>();

export function makeStore() {
  const store = configureStore({
    reducer: rootReducer,
    middleware: (standard) => standard().concat(api.middleware),
  });
  setupListeners(store.dispatch);
  return store;
}

export type AppStore = ReturnType<typeof makeStore>;
export type AppState = ReturnType<typeof rootReducer>;
export type AppDispatch = AppStore["dispatch"];

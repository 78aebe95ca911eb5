/** The Redux store of a surface. Reducers of a part are added by the surface that has it. */
import { combineSlices, configureStore } from "@reduxjs/toolkit";
import { setupListeners } from "@reduxjs/toolkit/query";
import { api } from "@/api/base";
import { onSession, session } from "@/session/token";

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
  forgetTheOther(() => store.dispatch(api.util.resetApiState()));
  return store;
}

/** Where another person logs in on the same page, nothing is left of what the one before was shown. */
function forgetTheOther(forget: () => void): void {
  let person = session()?.user.id;
  onSession((next) => {
    if (next && person && next.user.id !== person) forget();
    person = next?.user.id ?? person;
  });
}

export type AppStore = ReturnType<typeof makeStore>;
export type AppState = ReturnType<typeof rootReducer>;
export type AppDispatch = AppStore["dispatch"];

/** Lists that follow what happens elsewhere: what is kept is shown at once, and asked for anew. */
export const FRESH = {
  pollingInterval: 60_000,
  skipPollingIfUnfocused: true,
  refetchOnFocus: true,
  refetchOnReconnect: true,
  refetchOnMountOrArgChange: true,
} as const;

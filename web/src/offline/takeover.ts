/** What a page says to a service worker that waits: no exam is open here, take over. */
export const TAKE_OVER = "take over";

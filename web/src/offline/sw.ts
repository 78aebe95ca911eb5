/// <reference lib="webworker" />
/**
 * The service worker: students' pages as one build has them, whole, so that they open without a network. It never
 * touches the API, nor the pages of staff. A new build waits until nothing of the old one is open.
 */
import { clientsClaim } from "workbox-core";
import { type PrecacheEntry, precacheAndRoute } from "workbox-precaching";
import { TAKE_OVER } from "./takeover";

declare const self: ServiceWorkerGlobalScope;
/** Put in at build: pages, scripts, styles, fonts, each with the digest that it must have. */
declare const FILES: PrecacheEntry[];

// Ids travel in the query: they are for the page, which is the same file for all of them.
precacheAndRoute(FILES, { ignoreURLParametersMatching: [/./], cleanURLs: false });
clientsClaim();

self.addEventListener("message", (event) => {
  if (event.data === TAKE_OVER && event.source instanceof Client) event.waitUntil(takeOver(event.source.id));
});

/** The page that asks loads itself anew after that; any other would lose the files that it may still ask for. */
async function takeOver(asks: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.every((page) => page.id === asks)) await self.skipWaiting();
}

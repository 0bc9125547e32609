// The service worker: the app starts without a network. It keeps the app's own files and nothing of the API.
export {};

interface WorkerScope {
  addEventListener(kind: string, listener: (event: WorkerEvent) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void>; matchAll(options: object): Promise<Array<{ focus(): Promise<unknown>; postMessage(told: unknown): void }>>; openWindow(url: string): Promise<unknown> };
  registration: { showNotification(title: string, options: object): Promise<void> };
}
interface WorkerEvent {
  request: Request;
  data: { json(): { kind?: string } } | null;
  notification: { close(): void };
  respondWith(answer: Promise<Response>): void;
  waitUntil(work: Promise<unknown>): void;
  tag: string;
}

const worker = globalThis as unknown as WorkerScope;
// Put in by the server when it starts: the addresses of this build's files.
const files = JSON.parse("{{files}}") as string[];
const CACHE = `smartwatch-${files.join("")}`;
const PAGES = ["/", "/pair", "/log-in"];
const NETWORK_WITHIN_MS = 4_000;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then(async (cache) => {
      await cache.addAll(["/", ...files]);
      await worker.skipWaiting();
    }),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      for (const name of names) if (name !== CACHE) await caches.delete(name);
      await worker.clients.claim();
    }),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== location.origin) return;
  if (request.mode === "navigate" && PAGES.includes(address.pathname)) event.respondWith(page(request));
  else if (address.pathname.startsWith("/web/")) event.respondWith(file(request));
});

/** The newest page while the network is good; a page that is loaded stays what it is until it is opened again. */
async function page(request: Request): Promise<Response> {
  const kept = await caches.match("/");
  if (!kept) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), NETWORK_WITHIN_MS));
  return Promise.race([fetch(request).catch(() => kept), late]).then((answer) => (answer.ok ? answer : kept));
}

async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  // The words of another language than the first are kept once they were read.
  if (answer.ok && request.url.includes("?v=")) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

// A push says that something happened, and nothing of what: the phone may lie on a table.
worker.addEventListener("push", (event) => {
  let kind = "";
  try {
    kind = event.data?.json().kind ?? "";
  } catch {
    // A note of a later version.
  }
  const sign = kind === "alert.raised" ? "❗" : kind === "push.trial" ? "✓" : "💬";
  event.waitUntil(
    worker.registration.showNotification(`SmartWatch ${sign}`, {
      tag: kind, renotify: true, requireInteraction: kind === "alert.raised", icon: "/web/icon-192.png",
    }),
  );
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    worker.clients.matchAll({ type: "window" }).then((open) => (open[0] ? open[0].focus() : worker.clients.openWindow("/"))),
  );
});

// What waits is sent by the page, which has the session; an open page is told that there is a network again.
worker.addEventListener("sync", (event) => {
  if (event.tag !== "outbox") return;
  event.waitUntil(worker.clients.matchAll({ type: "window" }).then((open) => open.forEach((one) => one.postMessage("outbox"))));
});

// Newer browser functions, each with what happens without it. No other file calls them.

/** Runs `work` while no other tab runs under the same name; without locks it runs at once. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(name, work) as Promise<T>;
}

/** Runs `work` unless it is running already, in this tab or another. */
export async function unlessRunning(name: string, work: () => Promise<void>): Promise<void> {
  if (running.has(name)) return;
  running.add(name);
  try {
    if (!("locks" in navigator)) await work();
    else await navigator.locks.request(name, { ifAvailable: true }, async (lock) => (lock ? work() : undefined));
  } finally {
    running.delete(name);
  }
}
const running = new Set<string>();

/** Keeps the screen on until the returned function is called; a phone without it may turn dark. */
export async function keepScreenOn(): Promise<() => void> {
  try {
    if (!("wakeLock" in navigator)) return () => undefined;
    const lock = await navigator.wakeLock.request("screen");
    return () => void lock.release();
  } catch {
    return () => undefined;
  }
}

/** Asks the browser not to clear what the phone keeps; false where it cannot promise it. */
export async function keepStored(): Promise<boolean> {
  try {
    return (await navigator.storage?.persist?.()) ?? false;
  } catch {
    return false;
  }
}

/** Asks to be woken to send what waits, once there is a network; without it the page sends when it is opened. */
export async function wakeToSend(): Promise<void> {
  try {
    const registration = await navigator.serviceWorker?.ready;
    const sync = (registration as unknown as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
    await sync?.register("outbox");
  } catch {
    // Refused, or no such thing.
  }
}

/** Tells other tabs; a browser without channels shows the change when it reads again. */
export function openChannel(name: string, onMessage: (told: unknown) => void): (told: unknown) => void {
  if (!("BroadcastChannel" in globalThis)) return () => undefined;
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => onMessage(event.data);
  return (told) => channel.postMessage(told);
}

/** The maker's name of this phone where the browser tells it; empty elsewhere. */
export async function phoneModel(): Promise<string> {
  const about = (navigator as unknown as { userAgentData?: { getHighEntropyValues(asked: string[]): Promise<{ model?: string }> } }).userAgentData;
  try {
    return (await about?.getHighEntropyValues(["model"]))?.model ?? "";
  } catch {
    return "";
  }
}

/** Shows what plays on the locked screen, with a stop button; a phone without it plays all the same. */
export function tellPlaying(title: string | null, onStop: () => void): void {
  if (!("mediaSession" in navigator)) return;
  const session = navigator.mediaSession;
  try {
    session.metadata = title && "MediaMetadata" in globalThis ? new MediaMetadata({ title, artist: "SmartWatch" }) : null;
    session.playbackState = title ? "playing" : "none";
    for (const action of ["pause", "stop"] as const) session.setActionHandler(action, title ? onStop : null);
  } catch {
    // An older browser knows fewer actions.
  }
}

export function vibrate(ms: number): void {
  navigator.vibrate?.(ms);
}

export function newKey(): string {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

/** The last element; `at(-1)` is newer than the oldest browsers here. */
export function last<T>(list: readonly T[]): T | undefined {
  return list[list.length - 1];
}

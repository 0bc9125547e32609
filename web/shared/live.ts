// The live stream over fetch: EventSource cannot send a header. It comes back by itself, from where it was.
import { signal } from "@preact/signals";
import type { Event as FamilyEvent } from "./api-types.ts";
import { openStream } from "./api.ts";
import { parse, type Parsed } from "./sse.ts";

export type { FamilyEvent };

const LONGEST_PAUSE_MS = 30_000;
// The server writes a comment every 15 s; twice that without a byte means that the connection is gone.
const SILENCE_MS = 40_000;

/** Whether the stream stands: what is shown is then at most seconds old. */
export const isLive = signal(false);

let onEvents: (events: FamilyEvent[]) => void = () => undefined;
let onGap: () => void = () => undefined;
let running = false;
let ending: AbortController | null = null;
let wake: () => void = () => undefined;
let cursor = "";

/** Follows the stream until `stop`; `gap` is called when it stands again, for what was missed meanwhile. */
export function follow(from: string, events: (events: FamilyEvent[]) => void, gap: () => void): void {
  cursor = from || cursor;
  onEvents = events;
  onGap = gap;
  if (!running) void run();
}

export function stop(): void {
  running = false;
  cursor = "";
  ending?.abort();
  wake();
}

export function hurry(): void {
  wake();
}

async function run(): Promise<void> {
  running = true;
  let pause = 500;
  let isFirst = true;
  while (running) {
    const controller = new AbortController();
    ending = controller;
    try {
      const answer = await openStream(cursor, controller.signal);
      isLive.value = true;
      pause = 500;
      if (!isFirst) onGap();
      isFirst = false;
      await read(answer, controller);
    } catch {
      // Lost, refused or closed: what may be read is decided when it is asked for again.
    }
    isLive.value = false;
    if (!running) return;
    await sleep(pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function read(answer: Response, controller: AbortController): Promise<void> {
  const reader = answer.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const silence = setTimeout(() => controller.abort(), SILENCE_MS);
    const piece = await reader.read().finally(() => clearTimeout(silence));
    if (piece.done) return;
    rest += decoder.decode(piece.value, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    const events = blocks.map(parse).filter((one): one is Parsed => one !== null);
    for (const one of events) if (one.id) cursor = one.id;
    if (events.some((one) => one.kind === "reset")) onGap();
    const told = events.filter((one) => one.kind !== "reset" && one.kind !== "ready").map((one) => one.data);
    if (told.length) onEvents(told);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

addEventListener("online", () => wake());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") wake();
});

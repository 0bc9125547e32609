// What waits to be sent: first in, first out for each child, each message once, over reloads, crashes and days offline.
import { signal } from "@preact/signals";
import type { MessageResponse } from "../../shared/api-types.ts";
import { ask, Refused, Unreachable } from "../../shared/api.ts";
import { newKey, openChannel, unlessRunning, wakeToSend } from "../../shared/guards.ts";
import { database, keepSound, partsOf, type Waiting } from "../../shared/store.ts";
import { take } from "./conversation.ts";

const PART_BYTES = 64 * 1024;
const ASK_AFTER_MS = 24 * 3600 * 1000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 300_000;

export const waiting = signal<Waiting[]>([]);
let timer: ReturnType<typeof setTimeout> | undefined;
let channel: ((told: unknown) => void) | null = null;

export async function load(): Promise<void> {
  channel ??= openChannel("outbox", () => void load());
  waiting.value = (await (await database()).getAll("outbox")).sort((a, b) => a.order - b.order);
}

/** Tells the other tabs that the queue has changed. */
function tell(what: string): void {
  channel ??= openChannel("outbox", () => void load());
  channel(what);
}

type Made = Pick<Waiting, "child_id" | "kind" | "text" | "emoji" | "sound" | "type" | "duration_ms">;

/**
 * Writes a message to the phone's store, then sends it when it can. `made_at` is now: a draft has its own. The draft that
 * it was ends in the same transaction: a page that is closed in between leaves one of the two, never both.
 */
export async function put(made: Made, made_at = new Date().toISOString(), draft?: string): Promise<Waiting> {
  const db = await database();
  const transaction = db.transaction(["outbox", "drafts"], "readwrite");
  const outbox = transaction.objectStore("outbox");
  const orders = (await outbox.getAll()).map((one) => one.order);
  const item: Waiting = {
    ...made, key: newKey(), order: Math.max(Date.now(), ...orders.map((one) => one + 1)), made_at, tries: 0,
    next_try_at: 0, stopped: null,
  };
  const drafts = transaction.objectStore("drafts");
  await Promise.all([...(draft ? [drafts.delete(partsOf(draft))] : []), outbox.put(item), transaction.done]);
  await load();
  tell("put");
  void flush();
  return item;
}

export async function takeBack(key: string): Promise<void> {
  await (await database()).delete("outbox", key);
  await load();
  tell("back");
}

/** Tries a stopped message again, at once. */
export async function tryAgain(item: Waiting): Promise<void> {
  const made_at = item.stopped === "old" ? new Date().toISOString() : item.made_at;
  await save({ ...item, made_at, stopped: null, next_try_at: 0 });
  await flush();
}

/** Everything may go now: a network came back, or somebody opened the page. */
export async function hurry(): Promise<void> {
  for (const one of waiting.value) if (one.next_try_at) await save({ ...one, next_try_at: 0 });
  await flush();
}

/** How long to wait after so many failed tries: 2, 4 ... 300 s, spread so that a crowd does not come at once. */
export function pauseAfter(tries: number, chance = Math.random()): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, tries - 1), LONGEST_PAUSE_MS) * (0.75 + chance / 2);
}

/** Calls `work` after the pause for so many failed tries, and when a network is there; returns how to call it off. */
export function later(failed: number, work: () => void): () => void {
  const timer = setTimeout(work, failed && pauseAfter(failed));
  addEventListener("online", work);
  return () => {
    clearTimeout(timer);
    removeEventListener("online", work);
  };
}

/** Whether this message stops the ones behind it: the next try is later, and order is kept. */
export function isDue(item: Waiting, now: number): boolean {
  return item.stopped === null && item.next_try_at <= now;
}

export async function flush(): Promise<void> {
  await unlessRunning("outbox", async () => {
    const blocked = new Set<string>();
    for (;;) {
      await load();
      const next = waiting.value.find((one) => one.stopped === null && !blocked.has(one.child_id));
      if (!next) break;
      if (!isDue(next, Date.now()) || !(await sendOne(next))) blocked.add(next.child_id);
    }
  });
  await load();
  clearTimeout(timer);
  const times = waiting.value.filter((one) => one.stopped === null).map((one) => one.next_try_at);
  if (times.length) timer = setTimeout(() => void flush(), Math.max(500, Math.min(...times) - Date.now()));
}

/** Whether it left the queue; otherwise it is marked with why, or with when to try again. */
async function sendOne(item: Waiting): Promise<boolean> {
  if (Date.now() - Date.parse(item.made_at) > ASK_AFTER_MS) {
    await save({ ...item, stopped: "old" });
    return true;
  }
  try {
    const message = await send(item);
    if (item.sound) await keepSound(message.message_id, item.sound, item.type ?? "audio/webm");
    await take(item.child_id, [message]);
    await (await database()).delete("outbox", item.key);
    await load();
    tell("sent");
    return true;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return false;
    if (error instanceof Refused && !error.isTransient) {
      // The others of this child go on: what stopped this one is about itself.
      await save({ ...item, stopped: error.code });
      return true;
    }
    if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
    const tries = item.tries + 1;
    const asked = error instanceof Refused ? error.retryAfterMs : null;
    await save({ ...item, tries, next_try_at: Date.now() + Math.max(asked ?? 0, pauseAfter(tries)) });
    void wakeToSend();
    return false;
  }
}

async function send(item: Waiting): Promise<MessageResponse> {
  const path = { child_id: item.child_id };
  const headers = { "Idempotency-Key": item.key };
  const { made_at } = item;
  if (item.kind === "text") {
    return ask("POST /v1/children/{child_id}/messages", { path, headers, body: { kind: "text", text: item.text ?? "", made_at } });
  }
  if (item.kind === "emoji") {
    const body = { kind: "emoji", emoji: (item.emoji ?? "heart") as "heart", made_at } as const;
    return ask("POST /v1/children/{child_id}/messages", { path, headers, body });
  }
  const sound = item.sound ?? new ArrayBuffer(0);
  if (sound.byteLength <= PART_BYTES && item.tries === 0) {
    const described = { ...headers, "Made-At": made_at, "Content-Type": item.type ?? "audio/webm" };
    return ask("POST /v1/children/{child_id}/voice-messages", { path, headers: described, body: sound });
  }
  return sendInParts(item, sound);
}

/** A part that was answered is never sent again, so that a bad network gets further with each try. */
async function sendInParts(item: Waiting, sound: ArrayBuffer): Promise<MessageResponse> {
  const { child_id } = item;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", sound));
  const sha256 = Array.from(digest, (one) => one.toString(16).padStart(2, "0")).join("");
  let upload = await ask("POST /v1/children/{child_id}/uploads", {
    path: { child_id }, headers: { "Idempotency-Key": item.key }, body: { bytes: sound.byteLength, sha256 },
  });
  // An earlier try arrived, and its answer was lost.
  if (upload.message_id) {
    return ask("GET /v1/children/{child_id}/messages/{message_id}", { path: { child_id, message_id: upload.message_id } });
  }
  const path = { child_id, upload_id: upload.upload_id };
  while (upload.offset < sound.byteLength) {
    upload = await ask("PATCH /v1/children/{child_id}/uploads/{upload_id}", {
      path,
      headers: { "Upload-Offset": String(upload.offset), "Content-Type": "application/offset+octet-stream" },
      body: sound.slice(upload.offset, upload.offset + upload.part_max_bytes),
    });
  }
  return ask("POST /v1/children/{child_id}/uploads/{upload_id}/message", { path, headers: { "Made-At": item.made_at } });
}

async function save(item: Waiting): Promise<void> {
  await (await database()).put("outbox", item);
  await load();
}

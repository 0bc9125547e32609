// What the phone keeps: the last answers, messages that wait, sounds. All of it goes at log-out.
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export interface Waiting {
  /** Idempotency-Key, made once: however often it is sent, the message exists once. */
  key: string;
  /** Order on this phone. */
  order: number;
  child_id: string;
  kind: "voice" | "text" | "emoji";
  text?: string;
  emoji?: string;
  sound?: ArrayBuffer;
  type?: string;
  duration_ms?: number;
  made_at: string;
  tries: number;
  next_try_at: number;
  /** Why it stopped: a code of the server, or `old` when it has waited for a day. */
  stopped: string | null;
}

export interface Sound {
  message_id: string;
  bytes: ArrayBuffer;
  type: string;
  used_at: number;
}

export interface DraftPart {
  draft: string;
  part: number;
  child_id: string;
  made_at: string;
  type: string;
  bytes: ArrayBuffer;
}

interface Schema extends DBSchema {
  kept: { key: string; value: unknown };
  outbox: { key: string; value: Waiting };
  sounds: { key: string; value: Sound };
  drafts: { key: [string, number]; value: DraftPart };
}

const STORES = ["kept", "outbox", "sounds", "drafts"] as const;
const SOUNDS_MAX_BYTES = 30 * 1024 * 1024;
let opened: Promise<IDBPDatabase<Schema>> | null = null;

export function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("smartwatch", 1, {
    upgrade(db) {
      db.createObjectStore("kept");
      db.createObjectStore("outbox", { keyPath: "key" });
      db.createObjectStore("sounds", { keyPath: "message_id" });
      db.createObjectStore("drafts", { keyPath: ["draft", "part"] });
    },
    terminated() {
      opened = null;
    },
  });
  return opened;
}

/** The keys of all parts of a draft, which end together. */
export function partsOf(draft: string): IDBKeyRange {
  return IDBKeyRange.bound([draft, 0], [draft, Infinity]);
}

export async function keep(name: string, value: unknown): Promise<void> {
  await (await database()).put("kept", value, name);
}

export async function kept<T>(name: string): Promise<T | undefined> {
  return (await (await database()).get("kept", name)) as T | undefined;
}

/** Keeps a sound and drops the least recently used ones beyond 30 MB. */
export async function keepSound(message_id: string, bytes: ArrayBuffer, type: string): Promise<void> {
  const db = await database();
  await db.put("sounds", { message_id, bytes, type, used_at: Date.now() });
  const all = (await db.getAll("sounds")).sort((a, b) => b.used_at - a.used_at);
  let held = 0;
  for (const one of all) {
    held += one.bytes.byteLength;
    if (held > SOUNDS_MAX_BYTES) await db.delete("sounds", one.message_id);
  }
}

export async function keptSound(message_id: string): Promise<Sound | undefined> {
  const db = await database();
  const found = await db.get("sounds", message_id);
  if (found) await db.put("sounds", { ...found, used_at: Date.now() });
  return found;
}

/** Forgets everything of a child: it was erased, or the right to it ended. */
export async function forgetChild(child_id: string): Promise<void> {
  const db = await database();
  const messages = ((await db.get("kept", `messages/${child_id}`)) ?? []) as Array<{ message_id: string }>;
  for (const one of messages) await db.delete("sounds", one.message_id);
  await db.delete("kept", `messages/${child_id}`);
  await db.delete("kept", `changed/${child_id}`);
  await db.delete("kept", `contacts/${child_id}`);
  for (const one of await db.getAll("outbox")) if (one.child_id === child_id) await db.delete("outbox", one.key);
  for (const one of await db.getAll("drafts")) if (one.child_id === child_id) await db.delete("drafts", [one.draft, one.part]);
}

export async function forgetAll(): Promise<void> {
  const db = await database();
  const transaction = db.transaction(STORES, "readwrite");
  for (const name of STORES) await transaction.objectStore(name).clear();
  await transaction.done;
}

// One child's messages: what the phone kept, then what the server says; events bring single messages.
import { signal } from "@preact/signals";
import type { MessageResponse } from "../../shared/api-types.ts";
import { ask, Refused, Unreachable } from "../../shared/api.ts";
import type { FamilyEvent } from "../../shared/live.ts";
import { keep, kept } from "../../shared/store.ts";

const KEPT_MESSAGES = 100;
const PAGE = 50;
// Beyond this one page costs less than each message by itself.
const SINGLE_READS_MAX = 3;

export const messages = signal<MessageResponse[]>([]);
export const isLoaded = signal(false);
export const hasOlder = signal(false);
/** A code: the conversation may no longer be read. */
export const talkProblem = signal<string | null>(null);
let child = "";

/** Oldest first, each once, in the server's order. */
export function merged(before: readonly MessageResponse[], news: readonly MessageResponse[]): MessageResponse[] {
  const byId = new Map(before.map((one) => [one.message_id, one]));
  for (const one of news) byId.set(one.message_id, one);
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}

export async function open(child_id: string): Promise<void> {
  child = child_id;
  messages.value = [];
  isLoaded.value = false;
  talkProblem.value = null;
  const held = (await kept<MessageResponse[]>(`messages/${child_id}`)) ?? [];
  if (child !== child_id) return;
  messages.value = held;
  isLoaded.value = held.length > 0;
  await refresh();
}

export function close(): void {
  child = "";
  messages.value = [];
}

export async function refresh(): Promise<void> {
  const of = child;
  if (!of) return;
  try {
    const page = await ask("GET /v1/children/{child_id}/messages", { path: { child_id: of }, query: { limit: PAGE } });
    if (of !== child) return;
    const oldest = page.messages[page.messages.length - 1];
    // A gap between what was kept and this page would hide messages: then only the page is shown.
    const joins = !page.next_cursor || messages.value.some((one) => oldest && one.seq >= oldest.seq);
    await take(of, page.messages, joins ? messages.value : []);
    hasOlder.value = page.next_cursor !== null;
    isLoaded.value = true;
  } catch (error) {
    if (error instanceof Refused && error.status < 500 && error.status !== 429) talkProblem.value = error.code;
    else if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
    // Without an answer what the phone has is all there is to show, and what waits to be sent is part of it.
    if (of === child) isLoaded.value = true;
  }
}

export async function older(): Promise<void> {
  const of = child;
  const first = messages.value[0];
  if (!first) return;
  const query = { limit: PAGE, cursor: String(first.seq) };
  const page = await ask("GET /v1/children/{child_id}/messages", { path: { child_id: of }, query });
  if (of !== child) return;
  await take(of, page.messages, messages.value);
  hasOlder.value = page.next_cursor !== null;
}

export async function onTold(events: FamilyEvent[]): Promise<void> {
  const mine = events.filter((one) => one.child_id === child && one.kind.startsWith("message.") && one.ref_id);
  const ids = [...new Set(mine.map((one) => one.ref_id as string))];
  if (ids.length === 0) return;
  if (ids.length > SINGLE_READS_MAX) return refresh();
  const of = child;
  for (const message_id of ids) {
    try {
      const path = { child_id: of, message_id };
      await take(of, [await ask("GET /v1/children/{child_id}/messages/{message_id}", { path })], messages.value);
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
    }
  }
}

/** Takes a message that the server has just accepted or changed. */
export async function take(of: string, news: readonly MessageResponse[], before?: readonly MessageResponse[]): Promise<void> {
  if (of !== child) {
    const held = (await kept<MessageResponse[]>(`messages/${of}`)) ?? [];
    await keep(`messages/${of}`, merged(held, news).slice(-KEPT_MESSAGES));
    return;
  }
  messages.value = merged(before ?? messages.value, news);
  await keep(`messages/${of}`, messages.value.slice(-KEPT_MESSAGES));
}

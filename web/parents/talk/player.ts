// One player: plays from the phone's store or fetches first; the next new message follows by itself.
import { signal } from "@preact/signals";
import type { MessageResponse } from "../../shared/api-types.ts";
import { ask, Refused, Unreachable } from "../../shared/api.ts";
import { tellPlaying } from "../../shared/guards.ts";
import { keep, kept, keepSound, keptSound } from "../../shared/store.ts";
import { t } from "../../shared/words.ts";
import { messages, take } from "./conversation.ts";

export const playing = signal<string | null>(null);
export const isLoading = signal<string | null>(null);
/** 0 to 1 of the playing recording. */
export const position = signal(0);
export const speed = signal<1 | 1.5>(1);
export const playProblem = signal<{ id: string; code: string } | null>(null);

type Heard = { child_id: string; message_id: string };
const HEARD = "heard";
const audio = new Audio();
let address = "";
let onEnd: () => void = () => undefined;
let turn = 0;

audio.addEventListener("timeupdate", () => {
  position.value = audio.duration > 0 && Number.isFinite(audio.duration) ? audio.currentTime / audio.duration : 0;
});
audio.addEventListener("ended", () => {
  silence();
  onEnd();
});

/** Whether somebody has not heard this message of the child yet. */
export function isNew(message: MessageResponse): boolean {
  return message.direction === "to_family" && message.my_state !== "played";
}

/** The next voice message of the child that is new, after this one. */
export function nextNew(list: readonly MessageResponse[], after: MessageResponse): MessageResponse | undefined {
  return list.find((one) => one.seq > after.seq && one.kind === "voice" && isNew(one) && one.voice?.state === "ready");
}

export async function play(message: MessageResponse, follows = true): Promise<void> {
  silence();
  const mine = ++turn;
  playProblem.value = null;
  isLoading.value = message.message_id;
  try {
    const [bytes, type] = await soundOf(message);
    if (mine !== turn) return;
    onEnd = () => {
      const next = follows ? nextNew(messages.value, message) : undefined;
      if (next) void play(next);
    };
    await playBytes(bytes, type, message.message_id);
    if (isNew(message)) void mark(message);
  } catch (error) {
    if (mine === turn) playProblem.value = { id: message.message_id, code: codeOf(error) };
  } finally {
    if (mine === turn) isLoading.value = null;
  }
}

/** Plays a recording that has not been sent yet. */
export async function playOwn(id: string, bytes: ArrayBuffer, type: string): Promise<void> {
  silence();
  turn++;
  onEnd = () => undefined;
  await playBytes(bytes, type, id);
}

export function silence(): void {
  audio.pause();
  if (playing.value) tellPlaying(null, silence);
  playing.value = null;
  isLoading.value = null;
  position.value = 0;
  if (address) URL.revokeObjectURL(address);
  address = "";
}

export function toggleSpeed(): void {
  speed.value = speed.value === 1 ? 1.5 : 1;
  audio.playbackRate = speed.value;
}

/** Fetches what is new while the network is good, so that a tap plays at once; a day's fetch is one look. */
export async function fetchAhead(list: readonly MessageResponse[], most = 5): Promise<void> {
  for (const one of list.filter((each) => isNew(each) && each.kind === "voice" && each.voice?.state === "ready").slice(0, most)) {
    try {
      await soundOf(one);
    } catch {
      return;
    }
  }
}

/** Tells that texts and emoji were on the screen; a recording counts as heard only when it was played. */
export async function markSeen(list: readonly MessageResponse[]): Promise<void> {
  if (document.visibilityState !== "visible") return;
  for (const one of list) {
    if (one.kind === "voice" || !isNew(one) || marked.has(one.message_id)) continue;
    marked.add(one.message_id);
    await mark(one);
  }
}
const marked = new Set<string>();

/** What is being fetched: a tap while a recording is fetched ahead waits for the same answer. */
const fetching = new Map<string, Promise<[ArrayBuffer, string]>>();

function soundOf(message: MessageResponse): Promise<[ArrayBuffer, string]> {
  const id = message.message_id;
  const begun = fetching.get(id) ?? fetchSound(message).finally(() => fetching.delete(id));
  fetching.set(id, begun);
  return begun;
}

async function fetchSound(message: MessageResponse): Promise<[ArrayBuffer, string]> {
  const held = await keptSound(message.message_id);
  if (held) return [held.bytes, held.type];
  const path = { child_id: message.child_id, message_id: message.message_id };
  const blob = await ask("GET /v1/children/{child_id}/messages/{message_id}/audio", { path });
  const bytes = await blob.arrayBuffer();
  await keepSound(message.message_id, bytes, blob.type);
  return [bytes, blob.type];
}

async function playBytes(bytes: ArrayBuffer, type: string, id: string): Promise<void> {
  address = URL.createObjectURL(new Blob([bytes], { type: type.split(";")[0] ?? type }));
  audio.src = address;
  audio.playbackRate = speed.value;
  await audio.play();
  playing.value = id;
  // No name: others see the locked screen too.
  tellPlaying(t("talk.playing"), silence);
}

/** Only what really began to play is told as heard. */
async function mark(message: MessageResponse): Promise<void> {
  const path = { child_id: message.child_id, message_id: message.message_id };
  try {
    const changed = await ask("PUT /v1/children/{child_id}/messages/{message_id}/state", { path, body: { state: "played" } });
    await take(message.child_id, [changed]);
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
    if (error instanceof Unreachable) await keep(HEARD, [...((await kept<Heard[]>(HEARD)) ?? []), path]);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Refused) return error.code;
  return error instanceof Unreachable ? "offline" : "not_playable";
}

/** Tells the server what was heard without a network. */
export async function tellHeard(): Promise<void> {
  const waiting = (await kept<Heard[]>(HEARD)) ?? [];
  const left: Heard[] = [];
  for (const path of waiting) {
    try {
      await ask("PUT /v1/children/{child_id}/messages/{message_id}/state", { path, body: { state: "played" } });
    } catch (error) {
      if (error instanceof Unreachable || (error instanceof Refused && error.isTransient)) left.push(path);
    }
  }
  if (waiting.length) await keep(HEARD, left);
}

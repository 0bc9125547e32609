// What the local program tells about the watch, and what it is asked for. Its address and secret are of one run.
import { signal } from "@preact/signals";
import { Refused, send } from "../shared/http.ts";
import { parse } from "../shared/sse.ts";

export interface Contact {
  id: string;
  name: string;
  may_message: boolean;
  emergency: boolean;
  on_shift_until: string | null;
}

export interface Item {
  ref: string;
  kind: "voice" | "text" | "emoji" | "removed";
  sender: string;
  text: string;
  tst: number;
  state: "delivered" | "played";
  duration_ms: number | null;
}

export interface Sent {
  number: number;
  kind: string;
  to: string | null;
  text: string | null;
  duration_ms: number | null;
  state: "queued" | "sent" | "stored" | "rejected";
  detail: string | null;
  states: Array<{ by: string; state: string }>;
}

export interface Watch {
  serial: string;
  online: boolean;
  paired: boolean;
  child_name: string | null;
  locked: boolean;
  quiet: boolean;
  clock: string | null;
  contacts: Contact[];
  inbox: Item[];
  sent: Sent[];
  waiting: number;
}

export type StepName = "pair" | "contacts" | "speak" | "receive" | "sos" | "offline" | "flat";

export interface State {
  power: boolean;
  battery_pct: number;
  network: boolean;
  codec: "amr-nb" | "opus";
  rings: number;
  arrivals: number;
  refusal: string | null;
  code: { code: string; qr: string; picture: string } | null;
  sos: { state: "waiting" | "sent" | "calling" | "seen" | "unanswered"; by: string | null; call: string | null } | null;
  emoji: Array<{ word: string; glyph: string }>;
  training: { step: StepName | null; number: number; of: number } | null;
  watch: Watch | null;
}

export interface Entry {
  number: number;
  at_ms: number;
  direction: "up" | "down" | "line";
  topic: string;
  level: string;
  size_bytes: number;
  frame: string;
  lost: boolean;
  fault: string | null;
  answered_by: number | null;
  answer_ms: number | null;
  answers: number | null;
}

export const state = signal<State | null>(null);
export const entries = signal<Map<number, Entry>>(new Map());
/** live; lost: the program has ended or is not heard; shut: the address lacks this run's secret */
export const link = signal<"opening" | "live" | "lost" | "shut">("opening");
/** The code of what was refused last, until the next action. */
export const refused = signal<string | null>(null);

const KEPT = 300;
const AGAIN_MS = 1_000;
const SECRET = "secret";

/** Takes the secret out of the address: a picture of the screen then shows none. */
function takeSecret(): string {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(SECRET, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(SECRET) ?? "";
}

const secret = takeSecret();
const admitted = (): Record<string, string> => ({ Authorization: `Bearer ${secret}` });

/** Follows the watch for as long as the page is open. */
export async function follow(): Promise<void> {
  for (;;) {
    try {
      const answer = await send("GET", "/api/live", undefined, admitted(), 0);
      link.value = "live";
      await read(answer);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        link.value = "shut";
        return;
      }
    }
    link.value = "lost";
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function read(answer: Response): Promise<void> {
  const reader = answer.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  let rest = "";
  let isFirst = true;
  for (;;) {
    const piece = await reader.read();
    if (piece.done) return;
    rest += decoder.decode(piece.value, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const told = parse(block);
      if (told?.kind === "state") state.value = told.data as unknown as State;
      if (told?.kind === "log") {
        // After a pause the program tells everything that it keeps; one that was started again counts from 1.
        take(told.data as unknown as Entry[], isFirst);
        isFirst = false;
      }
    }
  }
}

function take(told: Entry[], isAll: boolean): void {
  const kept = isAll ? new Map<number, Entry>() : new Map(entries.value);
  for (const one of told) kept.set(one.number, one);
  for (const number of [...kept.keys()].sort((a, b) => a - b).slice(0, Math.max(0, kept.size - KEPT))) kept.delete(number);
  entries.value = kept;
}

/** Presses a button; returns whether the watch did it. */
export async function press(action: Record<string, unknown>): Promise<boolean> {
  return ask("POST", "/api/do", JSON.stringify(action)).then((answer) => answer !== null);
}

/** Sends what the microphone heard. */
export async function sendSound(to: string, sound: Blob): Promise<boolean> {
  return ask("POST", `/api/recordings?to=${encodeURIComponent(to)}`, sound).then((answer) => answer !== null);
}

/** The sound of a message; null where it is gone. */
export async function soundOf(ref: string): Promise<Blob | null> {
  const answer = await ask("GET", `/api/sounds/${encodeURIComponent(ref)}`);
  return answer ? answer.blob() : null;
}

async function ask(method: string, address: string, body?: BodyInit): Promise<Response | null> {
  refused.value = null;
  try {
    return await send(method, address, body, admitted());
  } catch (error) {
    refused.value = error instanceof Refused ? error.code : "lost";
    return null;
  }
}

// The first screen's answer, kept on the phone, and what events change in it.
import { signal } from "@preact/signals";
import type { AlertResponse, HomeChild, HomeFamily, HomeResponse, MyFamily } from "../../shared/api-types.ts";
import { ask, askChanged, Refused, Unreachable } from "../../shared/api.ts";
import { follow, type FamilyEvent } from "../../shared/live.ts";
import { forgetChild, keep, kept } from "../../shared/store.ts";
import { noteLocaleTold, untoldLocale } from "../../shared/words.ts";

export const home = signal<HomeResponse | null>(null);
/** Whether the last request had no answer: what is shown is what the phone kept. */
export const isOffline = signal(false);
/** A code, where the server refused the first screen itself. */
export const homeProblem = signal<string | null>(null);

type Listener = (events: FamilyEvent[]) => void;
const listeners = new Set<Listener>();
const gapListeners = new Set<() => void>();
let tag: string | null = null;
let asking: Promise<void> | null = null;
let askAgain = false;

export function onEvents(listener: Listener, gap: () => void): () => void {
  listeners.add(listener);
  gapListeners.add(gap);
  return () => {
    listeners.delete(listener);
    gapListeners.delete(gap);
  };
}

export function childOf(child_id: string): HomeChild | undefined {
  return home.value?.children.find((one) => one.child.child_id === child_id);
}

export function familyOf(child: HomeChild): HomeFamily | undefined {
  return home.value?.families.find((one) => one.family_id === child.child.family_id);
}

/** The calls for help that nobody has answered, oldest first. */
export function openCalls(): Array<{ child: HomeChild; alert: AlertResponse }> {
  const calls = (home.value?.children ?? []).flatMap((child) =>
    child.alerts.filter((alert) => alert.kind === "sos" && !isCancelled(child, alert)).map((alert) => ({ child, alert })),
  );
  return calls.sort((a, b) => a.alert.raised_at.localeCompare(b.alert.raised_at));
}

function isCancelled(child: HomeChild, call: AlertResponse): boolean {
  return child.alerts.some((one) => one.kind === "sos_cancelled" && one.raised_at >= call.raised_at);
}

/** Shows what the phone kept, then asks; follows the stream from there. */
export async function start(): Promise<void> {
  home.value ??= (await kept<HomeResponse>("home")) ?? null;
  await reload();
  follow(home.value?.cursor ?? "", told, () => {
    void reload();
    for (const gap of gapListeners) gap();
  });
}

export function forget(): void {
  home.value = null;
  tag = null;
  homeProblem.value = null;
}

/** Asks for the first screen again; several calls at once are one or two requests. */
export function reload(): Promise<void> {
  if (asking) {
    askAgain = true;
    return asking;
  }
  asking = read().finally(() => {
    asking = null;
    if (askAgain) {
      askAgain = false;
      void reload();
    }
  });
  return asking;
}

async function read(): Promise<void> {
  try {
    const changed = await askChanged("GET /v1/home", {}, home.value ? tag : null);
    isOffline.value = false;
    homeProblem.value = null;
    void tellLocale();
    if (!changed) return;
    const before = home.value?.children ?? [];
    home.value = changed.answer;
    tag = changed.tag;
    await keep("home", changed.answer);
    // A child that is no longer here was erased, or the right to it ended: nothing of it stays on the phone.
    for (const one of before) {
      const now = childOf(one.child.child_id);
      if (!now || (one.may_message && !now.may_message)) await forgetChild(one.child.child_id);
    }
  } catch (error) {
    if (error instanceof Unreachable) isOffline.value = true;
    else if (error instanceof Refused && error.status !== 401) homeProblem.value = error.code;
    else if (!(error instanceof Refused)) throw error;
  }
}

/** Text messages and questions of the office come in the language that was chosen here. */
async function tellLocale(): Promise<void> {
  const locale = untoldLocale();
  if (!locale) return;
  try {
    await ask("PATCH /v1/me", { body: { locale } });
    noteLocaleTold();
  } catch {
    // Told at the next opening.
  }
}

function told(events: FamilyEvent[]): void {
  void reload();
  for (const listener of listeners) listener(events);
}

export function needsConsent(family: MyFamily): boolean {
  return !family.consents.some((one) => one.part === "messages" && one.withdrawn_at === null);
}

// The session at this desk. Nothing of a session is kept on the disk: the cookie ends with the browser.
import { signal } from "@preact/signals";
import { openChannel } from "../shared/guards.ts";
import type { StaffMeResponse, StaffTokenResponse } from "./api-types.ts";
import { ask, forgetTokens, onSessionEnd, Refused, renew, takeTokens } from "./api.ts";

/** Without a key, a click or a touch for this long the session ends; the server ends it after the same time. */
export const IDLE_MS = 30 * 60_000;
export const WARN_MS = 60_000;
// Other tabs are told of use at most this often.
const TELL_EVERY_MS = 20_000;

export type Standing = "asking" | "out" | "in" | "unreachable";
export const standing = signal<Standing>("asking");
export const me = signal<StaffMeResponse | null>(null);
/** Whether the last session ended by itself, which the door says. */
export const hasEnded = signal(false);
/** Milliseconds until the session ends, in its last minute; null before. */
export const endsInMs = signal<number | null>(null);

let usedAt = Date.now();
let toldAt = 0;

const tell = openChannel("staff-session", (said) => {
  if (said === "out") leave();
  if (said === "used") usedAt = Date.now();
});

export function may(permission: string): boolean {
  return me.value?.permissions.includes(permission) ?? false;
}

export async function enter(tokens: StaffTokenResponse): Promise<void> {
  takeTokens(tokens);
  await begin();
}

/** Continues the session of this browser after a reload, if there is one. */
export async function resume(): Promise<void> {
  standing.value = "asking";
  try {
    await renew();
    await begin();
  } catch (error) {
    standing.value = error instanceof Refused ? "out" : "unreachable";
  }
}

async function begin(): Promise<void> {
  me.value = await ask("GET /v1/staff/me");
  hasEnded.value = false;
  use();
  standing.value = "in";
}

export async function logOut(): Promise<void> {
  try {
    await ask("POST /v1/staff/auth/logout", { timeoutMs: 8000 });
  } catch {
    // Without a network the server ends the session after 30 minutes; here it is gone now.
  }
  leave();
  tell("out");
}

/** Notes that somebody works here. */
export function use(): void {
  usedAt = Date.now();
  endsInMs.value = null;
  if (usedAt - toldAt > TELL_EVERY_MS) {
    toldAt = usedAt;
    tell("used");
  }
}

/** Ends a session that nobody uses; the clock is compared, because timers stand still while a laptop sleeps. */
function watchIdle(): void {
  if (standing.value !== "in") return;
  const leftMs = usedAt + IDLE_MS - Date.now();
  endsInMs.value = leftMs < WARN_MS ? Math.max(0, leftMs) : null;
  if (leftMs <= 0) {
    hasEnded.value = true;
    void logOut();
  }
}

/** Begins to watch for use. While the question stands only its own button counts. */
export function guardSession(): void {
  const onUse = (): void => {
    watchIdle();
    if (endsInMs.value === null && standing.value === "in") use();
  };
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, onUse, { passive: true });
  setInterval(watchIdle, 1000);
  document.addEventListener("visibilitychange", watchIdle);
}

function leave(): void {
  forgetTokens();
  me.value = null;
  endsInMs.value = null;
  standing.value = "out";
}

onSessionEnd(() => {
  if (standing.value !== "in") return;
  hasEnded.value = true;
  leave();
});

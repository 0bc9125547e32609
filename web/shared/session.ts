// Who is logged in on this phone. The refresh token is in a cookie that no script reads.
import { signal } from "@preact/signals";
import type { TokenResponse } from "./api-types.ts";
import { ask, forgetTokens, onSessionEnd, renew, Refused, takeTokens } from "./api.ts";
import { openChannel } from "./guards.ts";
import { stop } from "./live.ts";
import { forgetAll } from "./store.ts";

export type Standing = "out" | "limited" | "in";

const MARK = "guardian";
const ENDING = "ending";
export const standing = signal<Standing>(localStorage.getItem(MARK) ? "in" : "out");
/** Whether the last session ended on the server, which the door says. */
export const hasEnded = signal(false);

const tell = openChannel("session", (told) => {
  if (told === "out") void leave(false);
});

export function guardianId(): string {
  return localStorage.getItem(MARK) ?? "";
}

/** Takes the tokens of a log-in; another guardian than before finds nothing of theirs. */
export async function enter(tokens: TokenResponse): Promise<void> {
  if (guardianId() && guardianId() !== tokens.guardian_id) await forgetAll();
  takeTokens(tokens);
  localStorage.setItem(MARK, tokens.guardian_id);
  hasEnded.value = false;
  standing.value = tokens.limited ? "limited" : "in";
}

/** Continues the session of this phone, if there is one; without a network it stays as it was. */
export async function resume(): Promise<void> {
  if (!guardianId()) return finishLogOut();
  try {
    const tokens = await renew();
    standing.value = tokens.limited ? "limited" : "in";
  } catch (error) {
    if (error instanceof Refused && error.status < 500 && error.status !== 429) await end();
  }
}

export function passSecondStep(): void {
  standing.value = "in";
}

/** Ends the session here and on the server, and empties what the phone kept. */
export async function logOut(): Promise<void> {
  try {
    await ask("POST /v1/auth/logout", { timeoutMs: 8000 });
    localStorage.removeItem(ENDING);
  } catch {
    // Without a network everything here is gone now, and the server is told as soon as there is one.
    localStorage.setItem(ENDING, "1");
  }
  await leave(true);
}

/** Tells the server of a log-out that happened without a network. */
async function finishLogOut(): Promise<void> {
  if (!localStorage.getItem(ENDING) || guardianId()) return;
  try {
    await renew();
    await ask("POST /v1/auth/logout");
    localStorage.removeItem(ENDING);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) localStorage.removeItem(ENDING);
  }
  forgetTokens();
}

async function end(): Promise<void> {
  if (standing.value === "out") return;
  hasEnded.value = true;
  await leave(true);
}

async function leave(tells: boolean): Promise<void> {
  forgetTokens();
  stop();
  localStorage.removeItem(MARK);
  standing.value = "out";
  await forgetAll();
  if (tells) tell("out");
}

onSessionEnd(() => void end());

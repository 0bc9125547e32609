// Requests of a staff member: adds the access token and renews it once. The refresh token is in a cookie.
import { Bearer } from "../shared/bearer.ts";
import { answerOf, Unreachable } from "../shared/http.ts";
import type { Operations, StaffTokenResponse } from "./api-types.ts";

export { Refused, Unreachable } from "../shared/http.ts";

export type Name = keyof Operations;

export interface Ask<N extends Name> {
  path?: Operations[N]["path"];
  query?: Operations[N]["query"];
  body?: Operations[N]["body"];
  headers?: Record<string, string>;
  timeoutMs?: number;
}

const bearer = new Bearer<StaffTokenResponse>("staff-session", "/v1/staff/auth/refresh");

/** Calls `listener` when the session has ended on the server. */
export function onSessionEnd(listener: () => void): void {
  bearer.onSessionEnd(listener);
}

export function takeTokens(tokens: StaffTokenResponse): void {
  bearer.take(tokens);
}

export function forgetTokens(): void {
  bearer.forget();
}

export async function renew(): Promise<void> {
  await bearer.renew();
}

/** An operation without a token: log-in. */
export async function askOpenly<N extends Name>(name: N, asked: Ask<N> = {}): Promise<Operations[N]["answer"]> {
  return (await answerOf(name, asked, {})) as Operations[N]["answer"];
}

/** An operation of the staff member. Raises Refused or Unreachable; PDF and files come as a Blob. */
export async function ask<N extends Name>(name: N, asked: Ask<N> = {}): Promise<Operations[N]["answer"]> {
  return (await bearer.use((header) => answerOf(name, asked, header))) as Operations[N]["answer"];
}

/** Whether a failure is the network's, not the server's word. */
export function isOffline(error: unknown): boolean {
  return error instanceof Unreachable;
}

// Requests of a guardian: adds the access token and renews it once.
import type { Operations, TokenResponse } from "./api-types.ts";
import { Bearer } from "./bearer.ts";
import { addressOf, answerOf, Refused, send, Unreachable } from "./http.ts";

export { Refused, Unreachable } from "./http.ts";

type Name = keyof Operations;

export interface Ask<N extends Name> {
  path?: Operations[N]["path"];
  query?: Operations[N]["query"];
  body?: Operations[N]["body"];
  headers?: Record<string, string>;
  timeoutMs?: number;
}

const bearer = new Bearer<TokenResponse>("session", "/v1/auth/refresh");
let prove: (how: "pin" | "code") => Promise<boolean> = () => Promise.resolve(false);

/** Calls `asker` when a step asks for a proof; it tells whether the proof was given, and the step is then repeated. */
export function onProofAsked(asker: (how: "pin" | "code") => Promise<boolean>): void {
  prove = asker;
}

/** Calls `listener` once when the session has ended on the server. */
export function onSessionEnd(listener: () => void): void {
  bearer.onSessionEnd(listener);
}

export function takeTokens(tokens: TokenResponse): void {
  bearer.take(tokens);
}

export function forgetTokens(): void {
  bearer.forget();
}

export function renew(): Promise<TokenResponse> {
  return bearer.renew();
}

/** An operation without a token: log-in, public texts. */
export async function askOpenly<N extends Name>(name: N, ask: Ask<N> = {}): Promise<Operations[N]["answer"]> {
  return (await answerOf(name, ask, {})) as Operations[N]["answer"];
}

/** An operation of the guardian; one that cannot be undone asks for a proof first. Raises Refused or Unreachable. */
export async function ask<N extends Name>(name: N, asked: Ask<N> = {}): Promise<Operations[N]["answer"]> {
  const once = async (): Promise<Operations[N]["answer"]> =>
    (await bearer.use((header) => answerOf(name, asked, header))) as Operations[N]["answer"];
  try {
    return await once();
  } catch (error) {
    const isAsked = error instanceof Refused && error.code === "step_up_required" && !name.startsWith("POST /v1/me/step-up");
    if (!isAsked || !(await prove(error.fields["how"] === "pin" ? "pin" : "code"))) throw error;
    return once();
  }
}

/** Runs a request that must end in time, the renewal of the session before it included; it is not sent afterwards. */
export async function within<T>(ms: number, work: (timeoutMs: number) => Promise<T>): Promise<T> {
  const ends = Date.now() + ms;
  await withinMs(ms, bearer.ready());
  const left = ends - Date.now();
  if (left <= 0) throw new Unreachable();
  return withinMs(left, work(left));
}

function withinMs<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unreachable()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** A list with the tag of the last answer: null while it has not changed. */
export async function askChanged<N extends Name>(
  name: N,
  asked: Ask<N>,
  tag: string | null,
): Promise<{ answer: Operations[N]["answer"]; tag: string | null } | null> {
  return bearer.use(async (header) => {
    const [method, address] = addressOf(name, asked);
    const headers = { ...header, ...(tag ? { "If-None-Match": tag } : {}) };
    const answer = await send(method, address, undefined, headers, asked.timeoutMs);
    if (answer.status === 304) return null;
    return { answer: (await answer.json()) as Operations[N]["answer"], tag: answer.headers.get("etag") };
  });
}

/** The live stream; the caller reads its body and closes it with `signal`. */
export async function openStream(lastEventId: string, signal: AbortSignal): Promise<Response> {
  return bearer.use(async (header) => {
    const headers = lastEventId ? { ...header, "Last-Event-ID": lastEventId } : header;
    return send("GET", "/v1/events", undefined, headers, 0, signal);
  });
}

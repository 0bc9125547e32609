// The only file that calls fetch. Adds the access token, renews it once, and turns every failure into one of two errors.
import type { Operations, ProblemCode, TokenResponse } from "./api-types.ts";
import { withLock } from "./guards.ts";

type Name = keyof Operations;

export interface Ask<N extends Name> {
  path?: Operations[N]["path"];
  query?: Operations[N]["query"];
  body?: Operations[N]["body"];
  headers?: Record<string, string>;
  timeoutMs?: number;
}

/** The server refused; `code` is one of the codes that the words know. */
export class Refused extends Error {
  constructor(
    readonly code: ProblemCode | "unknown",
    readonly status: number,
    readonly fields: Record<string, unknown> = {},
  ) {
    super(code);
  }

  /** Whether the same request may pass later. */
  get isTransient(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408 || this.code === "inbox_full";
  }

  get retryAfterMs(): number | null {
    const seconds = this.fields["retry_after_s"];
    return typeof seconds === "number" ? seconds * 1000 : null;
  }
}

/** No answer: no network, or none in time. The request may or may not have been carried out. */
export class Unreachable extends Error {}

const TIMEOUT_MS = 30_000;
// Renewed this long before its end, so that a slow request does not arrive with an old token.
const RENEW_BEFORE_MS = 60_000;
const JSON_TYPE = "application/json";

let token = "";
let tokenEndsAt = 0;
let onEnd: () => void = () => undefined;
let prove: (how: "pin" | "code") => Promise<boolean> = () => Promise.resolve(false);

/** Calls `asker` when a step asks for a proof; it tells whether the proof was given, and the step is then repeated. */
export function onProofAsked(asker: (how: "pin" | "code") => Promise<boolean>): void {
  prove = asker;
}

/** Calls `listener` once when the session has ended on the server. */
export function onSessionEnd(listener: () => void): void {
  onEnd = listener;
}

export function takeTokens(tokens: TokenResponse): void {
  token = tokens.access_token;
  tokenEndsAt = Date.now() + tokens.expires_in_s * 1000;
}

export function forgetTokens(): void {
  token = "";
  tokenEndsAt = 0;
}

/** Renews the access token with the cookie; every tab does so under one lock, because the cookie works once. */
export async function renew(): Promise<TokenResponse> {
  return withLock("session", async () => {
    const answer = await send("POST", "/v1/auth/refresh", JSON.stringify({ keep: "cookie" }), { "Content-Type": JSON_TYPE });
    const tokens = (await answer.json()) as TokenResponse;
    takeTokens(tokens);
    return tokens;
  });
}

/** An operation without a token: log-in, public texts. */
export async function askOpenly<N extends Name>(name: N, ask: Ask<N> = {}): Promise<Operations[N]["answer"]> {
  return (await answerOf(name, ask, {})) as Operations[N]["answer"];
}

/** An operation of the guardian; one that cannot be undone asks for a proof first. Raises Refused or Unreachable. */
export async function ask<N extends Name>(name: N, asked: Ask<N> = {}): Promise<Operations[N]["answer"]> {
  const once = async (): Promise<Operations[N]["answer"]> =>
    (await withToken((bearer) => answerOf(name, asked, bearer))) as Operations[N]["answer"];
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
  await withinMs(ms, ready());
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
  return withToken(async (bearer) => {
    const [method, address] = addressOf(name, asked);
    const headers = { ...bearer, ...(tag ? { "If-None-Match": tag } : {}) };
    const answer = await send(method, address, undefined, headers, asked.timeoutMs);
    if (answer.status === 304) return null;
    return { answer: (await answer.json()) as Operations[N]["answer"], tag: answer.headers.get("etag") };
  });
}

/** The live stream; the caller reads its body and closes it with `signal`. */
export async function openStream(lastEventId: string, signal: AbortSignal): Promise<Response> {
  return withToken(async (bearer) => {
    const headers = lastEventId ? { ...bearer, "Last-Event-ID": lastEventId } : bearer;
    return send("GET", "/v1/events", undefined, headers, 0, signal);
  });
}

/** A built file of this server, such as the words of a language. */
export async function readBuilt(address: string): Promise<unknown> {
  return (await send("GET", address, undefined, {})).json();
}

async function ready(): Promise<void> {
  if (!token || Date.now() > tokenEndsAt - RENEW_BEFORE_MS) await renew();
}

async function withToken<T>(use: (bearer: Record<string, string>) => Promise<T>): Promise<T> {
  try {
    await ready();
    try {
      return await use({ Authorization: `Bearer ${token}` });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      await renew();
      return await use({ Authorization: `Bearer ${token}` });
    }
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      forgetTokens();
      onEnd();
    }
    throw error;
  }
}

async function answerOf<N extends Name>(name: N, asked: Ask<N>, headers: Record<string, string>): Promise<unknown> {
  const [method, address] = addressOf(name, asked);
  const body: unknown = asked.body;
  const isBytes = body instanceof ArrayBuffer || body instanceof Blob;
  const sent = body === undefined ? undefined : isBytes ? body : JSON.stringify(body);
  const type: Record<string, string> = sent === undefined || isBytes ? {} : { "Content-Type": JSON_TYPE };
  const answer = await send(method, address, sent, { ...type, ...headers, ...asked.headers }, asked.timeoutMs);
  if (answer.status === 204) return undefined;
  const isJson = (answer.headers.get("content-type") ?? "").startsWith(JSON_TYPE);
  try {
    return isJson ? await answer.json() : await answer.blob();
  } catch {
    throw new Unreachable();
  }
}

function addressOf<N extends Name>(name: N, asked: Ask<N>): [string, string] {
  const [method, template] = name.split(" ") as [string, string];
  const parts = (asked.path ?? {}) as Record<string, string>;
  const path = template.replace(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(parts[part] ?? ""));
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries((asked.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) query.set(field, String(value));
  }
  return [method, query.toString() ? `${path}?${query.toString()}` : path];
}

async function send(
  method: string,
  address: string,
  body: BodyInit | undefined,
  headers: Record<string, string>,
  timeoutMs: number = TIMEOUT_MS,
  signal?: AbortSignal,
): Promise<Response> {
  const ending = new AbortController();
  const timer = timeoutMs > 0 ? setTimeout(() => ending.abort(), timeoutMs) : undefined;
  signal?.addEventListener("abort", () => ending.abort());
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      headers: { "X-SmartWatch": "web", ...headers },
      signal: ending.signal,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body }),
    });
  } catch {
    throw new Unreachable();
  } finally {
    clearTimeout(timer);
  }
  if (answer.ok || answer.status === 304) return answer;
  let problem: Record<string, unknown> = {};
  try {
    problem = (await answer.json()) as Record<string, unknown>;
  } catch {
    // A proxy's own page: the status says enough.
  }
  throw new Refused((problem["code"] as ProblemCode | undefined) ?? "unknown", answer.status, problem);
}

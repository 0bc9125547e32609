// The only file that calls fetch. Turns every failure into one of two errors; parents and staff add their own tokens.
import type { ProblemCode } from "./api-types.ts";

/** The parts of a request; the typed callers say which an operation takes. */
export interface Asked {
  path?: unknown;
  query?: unknown;
  body?: unknown;
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
export const JSON_TYPE = "application/json";

/** A built file of this server, such as the words of a language. */
export async function readBuilt(address: string): Promise<unknown> {
  return (await send("GET", address, undefined, {})).json();
}

/** Carries out an operation, such as "GET /v1/home"; the answer's type is known to the typed callers. */
export async function answerOf(name: string, asked: Asked, headers: Record<string, string>): Promise<unknown> {
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

export function addressOf(name: string, asked: Asked): [string, string] {
  const [method, template] = name.split(" ") as [string, string];
  const parts = (asked.path ?? {}) as Record<string, string>;
  const path = template.replace(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(parts[part] ?? ""));
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries((asked.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) query.set(field, String(value));
  }
  return [method, query.toString() ? `${path}?${query.toString()}` : path];
}

/** Sends one request; raises Refused or Unreachable. */
export async function send(
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
  noteClock(answer);
  if (answer.ok || answer.status === 304) return answer;
  let problem: Record<string, unknown> = {};
  try {
    problem = (await answer.json()) as Record<string, unknown>;
  } catch {
    // A proxy's own page: the status says enough.
  }
  throw new Refused((problem["code"] as ProblemCode | undefined) ?? "unknown", answer.status, problem);
}

let aheadMs = 0;

/** Now, by the server's clock as of its last answer: clocks of office computers are wrong by hours. */
export function serverNow(): number {
  return Date.now() + aheadMs;
}

function noteClock(answer: Response): void {
  const told = Date.parse(answer.headers.get("date") ?? "");
  if (!Number.isNaN(told)) aheadMs = told - Date.now();
}

// The access token of a face: in memory alone, renewed with the cookie, forgotten when the session has ended.
import { withLock } from "./guards.ts";
import { JSON_TYPE, Refused, send } from "./http.ts";

// Renewed this long before its end, so that a slow request does not arrive with an old token.
const RENEW_BEFORE_MS = 60_000;

interface Tokens {
  access_token: string;
  expires_in_s: number;
}

/** One for each face; `lock` is shared by its tabs, `address` renews the token. */
export class Bearer<T extends Tokens> {
  private token = "";
  private endsAt = 0;
  private onEnd: () => void = () => undefined;
  private readonly lock: string;
  private readonly address: string;

  constructor(lock: string, address: string) {
    this.lock = lock;
    this.address = address;
  }

  /** Calls `listener` when the session has ended on the server. */
  onSessionEnd(listener: () => void): void {
    this.onEnd = listener;
  }

  take(tokens: T): void {
    this.token = tokens.access_token;
    this.endsAt = Date.now() + tokens.expires_in_s * 1000;
  }

  forget(): void {
    this.token = "";
    this.endsAt = 0;
  }

  /** Renews the token with the cookie; every tab does so under one lock, because the cookie works once. */
  async renew(): Promise<T> {
    return withLock(this.lock, async () => {
      const answer = await send("POST", this.address, JSON.stringify({ keep: "cookie" }), { "Content-Type": JSON_TYPE });
      const tokens = (await answer.json()) as T;
      this.take(tokens);
      return tokens;
    });
  }

  /** Renews a token that has ended or is about to. */
  async ready(): Promise<void> {
    if (!this.token || Date.now() > this.endsAt - RENEW_BEFORE_MS) await this.renew();
  }

  /** Makes a request with the token's header, once more with a new token when the first is refused. */
  async use<R>(request: (headers: Record<string, string>) => Promise<R>): Promise<R> {
    try {
      await this.ready();
      try {
        return await request(this.headers());
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 401) throw error;
        await this.renew();
        return await request(this.headers());
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        this.forget();
        this.onEnd();
      }
      throw error;
    }
  }

  private headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}` };
  }
}

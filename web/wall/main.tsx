// What a room reads from afar on the day of the hand-out: how to log in, the wall code, and how far everybody is.
// No log-in: the fragment of the address is the signed token. Counts only, no family.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { WallResponse } from "../shared/api-types.ts";
import { askOpenly, Refused } from "../shared/api.ts";
import { keepScreenOn } from "../shared/guards.ts";
import { readBuilt } from "../shared/http.ts";
import { clockTime } from "../shared/words.ts";
import { minutesLeft, pageOf, sentence, setWords, type Words } from "./sentences.ts";

const EVERY_MS = 10_000;
const TICK_MS = 15_000;

type Seen = { wall: WallResponse | null; isLate: boolean; isClosed: boolean };

function Wall() {
  const [seen, setSeen] = useState<Seen>({ wall: null, isLate: false, isClosed: false });
  const [, setTick] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const wall = await askOpenly("GET /v1/walls/{token}", { path: { token: location.hash.slice(1) }, timeoutMs: 8000 });
        setSeen({ wall, isLate: false, isClosed: false });
        document.documentElement.lang = wall.locale;
      } catch (error) {
        const isClosed = error instanceof Refused && (error.status === 403 || error.status === 404 || error.status === 422);
        // A network that blinks: what was read stays, with a mark.
        setSeen((before) => ({ wall: before.wall, isLate: !isClosed, isClosed }));
      }
      timer = setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    const tick = setInterval(() => setTick((n) => n + 1), TICK_MS);
    return () => {
      clearTimeout(timer);
      clearInterval(tick);
    };
  }, []);
  const { wall } = seen;
  const own = wall?.locale ?? document.documentElement.lang;
  if (seen.isClosed) return <main class="wall closed"><Said name="wall.closed" own={own} /></main>;
  if (!wall) return <main class="wall closed">{seen.isLate && <Said name="wall.late" own={own} />}</main>;
  const left = minutesLeft(wall.closes_at, Date.now());
  return (
    <main class="wall">
      <header>
        <h1>{wall.site}</h1>
        <p class={seen.isLate ? "late" : undefined} role="status">
          {seen.isLate ? sentence("wall.late", own) : sentence("wall.until", own, { at: clockTime(wall.closes_at, wall.timezone), n: String(left) })}
        </p>
      </header>
      <ol>
        <li><Said name="wall.scan" own={own} /><strong>{pageOf(wall.log_in_url)}</strong></li>
        <li><Said name="wall.number" own={own} /></li>
        <li><Said name="wall.code" own={own} /><strong class="code" data-testid="code">{wall.code.toUpperCase()}</strong></li>
      </ol>
      <img class="qr" src={`data:image/svg+xml;utf8,${encodeURIComponent(wall.qr_svg)}`} alt={pageOf(wall.log_in_url)} />
      <dl data-testid="counts">
        <Count name="wall.logged_in" own={own} n={wall.logged_in} of={wall.enrolled} />
        <Count name="wall.given" own={own} n={wall.given} of={wall.enrolled} />
        <Count name="wall.paired" own={own} n={wall.paired} of={wall.enrolled} />
      </dl>
    </main>
  );
}

/** A sentence, large in the site's language and small in the others. */
function Said({ name, own }: { name: string; own: string }) {
  return (
    <div class="said">
      <p lang={own}>{sentence(name, own)}</p>
      <Others name={name} own={own} />
    </div>
  );
}

function Others({ name, own }: { name: string; own: string }) {
  const others = ["en", "zh-Hans", "vi", "tr"].filter((one) => one !== own);
  return <p class="others">{others.map((one) => <span lang={one} key={one}>{sentence(name, one)}</span>)}</p>;
}

function Count({ name, own, n, of }: { name: string; own: string; n: number; of: number }) {
  return (
    <div>
      <dt><span lang={own}>{sentence(name, own)}</span><Others name={name} own={own} /></dt>
      <dd>{`${n} / ${of}`}</dd>
    </div>
  );
}

async function begin(): Promise<void> {
  const address = document.querySelector('meta[name="words"]')?.getAttribute("content") ?? "/web/wall.json";
  setWords((await readBuilt(address)) as Words);
  const root = document.getElementById("app");
  if (root) render(<Wall />, root);
  const stayOn = (): void => void (document.visibilityState === "visible" && keepScreenOn());
  stayOn();
  document.addEventListener("visibilitychange", stayOn);
  addEventListener("hashchange", () => location.reload());
}

/** A projector that starts before its network tries again by itself. */
function tryAgain(): void {
  begin().catch(() => setTimeout(tryAgain, EVERY_MS));
}

tryAgain();

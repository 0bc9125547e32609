// A watch on the screen of this computer: its face, its surroundings, and what goes over the wire.
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Banner } from "../shared/ui/parts.tsx";
import { Icon } from "../shared/ui/icon.tsx";
import { fittingLocale, LANGUAGES, locale, type Locale, t, useLocale } from "../shared/words.ts";
import { follow, link, refused, type State, state } from "./desk.ts";
import { Face } from "./face.tsx";
import { WireLog } from "./log.tsx";
import { Status, Switches, Training } from "./panel.tsx";
import { ring } from "./sound.ts";

function App() {
  const seen = state.value;
  return (
    <main class="desk">
      <header class="bar">
        <h1 class="brand"><Icon name="watch" />{t("screen.title")}</h1>
        <label class="language">
          <span class="unseen">{t("screen.language")}</span>
          <select value={locale.value} onChange={(event) => void useLocale(event.currentTarget.value as Locale, true)}>
            {LANGUAGES.map(([code, name]) => <option value={code} key={code} lang={code}>{name}</option>)}
          </select>
        </label>
      </header>
      {link.value === "shut" && <Banner kind="bad" icon="lock">{t("screen.shut")}</Banner>}
      {link.value === "lost" && <Banner kind="bad" icon="wait">{t("screen.lost")}</Banner>}
      {refused.value && link.value === "live" && <Banner kind="bad" icon="bad">{t("screen.refused", { why: refused.value })}</Banner>}
      {seen && link.value !== "shut" && <Parts seen={seen} />}
    </main>
  );
}

function Parts({ seen }: { seen: State }) {
  useRinging(seen);
  return (
    <div class="parts">
      <div class="left">
        <Face seen={seen} />
        <p class="serial soft">{seen.watch ? seen.watch.serial : ""}</p>
        <Status seen={seen} />
      </div>
      <div class="middle-column">
        <Training seen={seen} />
        <Switches seen={seen} />
      </div>
      <WireLog />
    </div>
  );
}

/** Sounds where something new came; what was there when the page was opened is silent. */
function useRinging(seen: State): void {
  const heard = useRef({ rings: seen.rings, arrivals: seen.arrivals });
  useEffect(() => {
    if (seen.rings > heard.current.rings) ring("ring");
    else if (seen.arrivals > heard.current.arrivals) ring("new");
    heard.current = { rings: seen.rings, arrivals: seen.arrivals };
  }, [seen.rings, seen.arrivals]);
}

async function start(): Promise<void> {
  await useLocale(fittingLocale());
  const root = document.getElementById("app");
  if (root) render(<App />, root);
  void follow();
}

void start();

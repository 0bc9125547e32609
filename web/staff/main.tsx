// The staff console: door, frame with the screens that the role may use, and the end of a session that nobody uses.
import { type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { effect, signal } from "@preact/signals";
import { Banner, Button, Problem, Sheet, Skeleton } from "../shared/ui/parts.tsx";
import { Faulty } from "../shared/ui/faulty.tsx";
import { Icon } from "../shared/ui/icon.tsx";
import { fittingLocale, t, useLocale } from "../shared/words.ts";
import { Door } from "./door/door.tsx";
import { areSitesRead, forgetSites, go, goToSite, readSites, screenName, site, sites } from "./place.ts";
import { type Entry, SCREENS } from "./screens.ts";
import { endsInMs, guardSession, logOut, may, me, resume, standing, use } from "./session.ts";
import { sentenceOf } from "./kit.ts";
import { Language } from "./ui/language.tsx";

const loaded = signal<Record<string, ComponentType>>({});
const isMenuOpen = signal(false);

function mine(): Entry[] {
  return SCREENS.filter((one) => one.needs.length === 0 || one.needs.some(may));
}

function App() {
  switch (standing.value) {
    case "asking":
      return <main class="screen"><Skeleton /></main>;
    case "unreachable":
      return (
        <main class="screen door">
          <Problem>{t("problem.offline")}</Problem>
          <Button kind="act" onClick={() => void resume()}>{t("action.again")}</Button>
        </main>
      );
    case "out":
      return <Door />;
    case "in":
      return <Console />;
  }
}

function Console() {
  const [problem, setProblem] = useState("");
  const read = (): void => {
    setProblem("");
    readSites().catch((error: unknown) => setProblem(sentenceOf(error)));
  };
  useEffect(read, []);
  const screens = mine();
  const shown = screens.find((one) => one.name === screenName.value) ?? screens[0];
  return (
    <>
      <div class="console" inert={endsInMs.value !== null}>
        <Bar />
        <nav class={isMenuOpen.value ? "nav open" : "nav"} aria-label={t("desk.screens")} id="nav">
          {screens.map((one) => (
            <button type="button" key={one.name} data-testid={`nav-${one.name}`} aria-current={one === shown ? "page" : undefined} onClick={() => { isMenuOpen.value = false; go(one.name); }}>
              <Icon name={one.icon} />
              <span>{t(one.title)}</span>
            </button>
          ))}
        </nav>
        <main class="desk">
          {site.value?.simulated && <Banner icon="bad">{t("desk.simulated")}</Banner>}
          {problem && (
            <>
              <Problem>{problem}</Problem>
              <Button onClick={read}>{t("action.again")}</Button>
            </>
          )}
          {areSitesRead.value && (shown ? <Shown key={`${site.value?.site_id ?? ""}/${shown.name}`} entry={shown} /> : <p class="empty">{t("desk.nothing")}</p>)}
        </main>
      </div>
      <Ending />
    </>
  );
}

function Bar() {
  return (
    <header class="bar">
      <button type="button" class="round menu" aria-label={t("desk.screens")} aria-expanded={isMenuOpen.value} aria-controls="nav" onClick={() => { isMenuOpen.value = !isMenuOpen.value; }}>
        <Icon name="menu" />
      </button>
      <div class="brand"><Icon name="watch" /><span>SmartWatch</span></div>
      {sites.value.length > 1 ? (
        <select class="site" aria-label={t("desk.site")} value={site.value?.site_id} onChange={(event) => goToSite(event.currentTarget.value)}>
          {sites.value.map((one) => <option key={one.site_id} value={one.site_id}>{`${one.name}, ${one.programme}`}</option>)}
        </select>
      ) : <span class="site">{site.value?.name}</span>}
      <span class="who">{me.value?.display_name}</span>
      <Language />
      <button type="button" class="small" data-testid="log-out" onClick={() => void logOut()}>{t("action.log_out")}</button>
    </header>
  );
}

function Shown({ entry }: { entry: Entry }) {
  const [isMissing, setMissing] = useState(false);
  const Screen = loaded.value[entry.name];
  const load = (): void => {
    setMissing(false);
    entry.load().then((part) => { loaded.value = { ...loaded.value, [entry.name]: part.Screen }; }, () => setMissing(true));
  };
  useEffect(() => {
    if (!loaded.value[entry.name]) load();
  }, [entry.name]);
  if (Screen) return <Screen />;
  if (!isMissing) return <Skeleton lines={4} />;
  return (
    <>
      <Problem>{t("problem.offline")}</Problem>
      <Button onClick={load}>{t("action.again")}</Button>
    </>
  );
}

/** The last minute of a session that nobody uses. */
function Ending() {
  const leftMs = endsInMs.value;
  if (leftMs === null) return null;
  return (
    <Sheet title={t("desk.ending")} onClose={use}>
      <p>{t("desk.ending_about", { n: Math.ceil(leftMs / 1000) })}</p>
      <Button kind="act" onClick={use} testId="stay">{t("desk.stay")}</Button>
      <Button onClick={() => void logOut()}>{t("action.log_out")}</Button>
    </Sheet>
  );
}

async function begin(): Promise<void> {
  await useLocale(fittingLocale());
  const root = document.getElementById("app");
  if (root) render(<><App /><Faulty /></>, root);
  guardSession();
  effect(() => {
    if (standing.value === "out") forgetSites();
  });
  await resume();
}

void begin();

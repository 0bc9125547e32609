// The page /check: what can this phone do? No log-in; the answers stay here until somebody reads the code to the office.
import { render } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../shared/ui/parts.tsx";
import { Icon, type IconName } from "../../shared/ui/icon.tsx";
import { fittingLocale, LANGUAGES, locale, t, useLocale } from "../../shared/words.ts";
import { isInstalled, isIos } from "../begun.ts";
import { registerWorker } from "../worker.ts";
import { type Outcome, type Outcomes, shortCode, type Trial, TRIALS } from "./code.ts";
import { keep, play, record, wake } from "./trials.ts";

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome?: string }>;
}

const ICONS: Record<Trial, IconName> = { record: "mic", play: "heard", keep: "paper", wake: "bell", install: "phone" };
const outcomes = signal<Outcomes>({ record: null, play: null, keep: null, wake: null, install: null });
const offer = signal<InstallPrompt | null>(null);
let sound: Blob | null = null;

function note(trial: Trial, outcome: Outcome): void {
  outcomes.value = { ...outcomes.value, [trial]: outcome };
}

function Check() {
  const [busy, setBusy] = useState<Trial | null>(null);
  const [asksHeard, setAsksHeard] = useState(false);
  useEffect(() => {
    if (isInstalled()) note("install", "yes");
  }, []);

  const run: Record<Trial, () => Promise<void>> = {
    record: async () => {
      sound = await record();
      note("record", sound ? "yes" : "no");
    },
    play: async () => {
      if (sound && (await play(sound))) setAsksHeard(true);
      else note("play", "no");
    },
    keep: async () => note("keep", (await keep()) ? "yes" : "no"),
    wake: async () => note("wake", (await wake()) ? "yes" : "no"),
    install: async () => {
      if (!offer.value) return;
      await offer.value.prompt();
      note("install", "yes");
      offer.value = null;
    },
  };
  const start = async (trial: Trial): Promise<void> => {
    setBusy(trial);
    await run[trial]();
    setBusy(null);
  };
  const heard = (outcome: Outcome): void => {
    note("play", outcome);
    setAsksHeard(false);
  };
  const mayTry = (trial: Trial): boolean => (trial === "play" ? sound !== null : trial === "install" ? offer.value !== null : true);
  const isAnyTried = TRIALS.some((one) => outcomes.value[one] !== null);
  return (
    <main class="screen">
      <h1>{t("check_phone.title")}</h1>
      <p>{t("check_phone.about")}</p>
      <div class="choices" role="group" aria-label={t("door.language")}>
        {LANGUAGES.map(([code, own]) => (
          <button type="button" class="button quiet" lang={code} key={code} aria-pressed={code === locale.value} onClick={() => void useLocale(code)}>{own}</button>
        ))}
      </div>
      {TRIALS.map((trial) => (
        <section class="card stack" key={trial} data-testid={`trial-${trial}`}>
          <h2><Icon name={ICONS[trial]} /> {t(`check_phone.${trial}`)}</h2>
          <Result outcome={outcomes.value[trial]} />
          {trial === "install" && !offer.value && outcomes.value.install === null && (
            <p class="soft">{isIos() ? t("install.ios") : t("check_phone.install_menu")}</p>
          )}
          {trial === "play" && asksHeard ? (
            <>
              <p>{t("check_phone.heard")}</p>
              <div class="choices even">
                <Button onClick={() => heard("no")}>{t("action.no")}</Button>
                <Button testId="heard" onClick={() => heard("yes")}>{t("check_phone.yes")}</Button>
              </div>
            </>
          ) : (
            (trial !== "install" || offer.value) && <Button busy={busy === trial} disabled={!mayTry(trial)} testId={`try-${trial}`} onClick={() => void start(trial)}>{t("check_phone.try")}</Button>
          )}
        </section>
      ))}
      {isAnyTried && (
        <section class="card stack">
          <h2>{t("check_phone.code")}</h2>
          <p class="elapsed" data-testid="code">{shortCode(outcomes.value, navigator.userAgent)}</p>
          <p class="soft">{t("check_phone.code_about")}</p>
        </section>
      )}
      <a class="button act" href="/">{t("check_phone.begin")}</a>
    </main>
  );
}

function Result({ outcome }: { outcome: Outcome }) {
  if (outcome === null) return <p class="soft">{t("check_phone.not_tried")}</p>;
  return outcome === "yes" ? <p class="good"><Icon name="good" /> {t("check_phone.works")}</p> : <p class="problem"><Icon name="bad" /> {t("check_phone.fails")}</p>;
}

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer.value = event as InstallPrompt;
});
async function begin(): Promise<void> {
  await useLocale(fittingLocale());
  registerWorker(() => undefined, () => undefined);
  const root = document.getElementById("app");
  if (root) render(<Check />, root);
}

void begin();

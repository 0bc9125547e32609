// From a phone number to a session: language, number, code or slip, and for a new phone a second step.
import { useEffect, useState } from "preact/hooks";
import type { LoginCodeResponse } from "../../shared/api-types.ts";
import { askOpenly, Refused, Unreachable } from "../../shared/api.ts";
import { phoneModel } from "../../shared/guards.ts";
import { phoneName } from "../../shared/phone-name.ts";
import { enter, hasEnded } from "../../shared/session.ts";
import { Banner, Button, Field, Form, Problem, Send } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { isChosen, LANGUAGES, locale, problemSentence, t, useLocale } from "../../shared/words.ts";
import { begun, continueHere, isInApp, isInstalled, isIos } from "../begun.ts";

const COUNTRIES = ["CN", "VN", "TR"] as const;
const OF_LANGUAGE: Record<string, string> = { "zh-Hans": "CN", vi: "VN", tr: "TR" };

export function Door() {
  const [skipsInstall, setSkipsInstall] = useState(false);
  if (!isChosen.value) return <Languages onDone={() => undefined} />;
  if (isInApp.value) return <InApp />;
  if (isIos() && !isInstalled() && !skipsInstall) return <InstallFirst onSkip={() => setSkipsInstall(true)} />;
  return <LogIn />;
}

export function Languages({ onDone }: { onDone: () => void }) {
  return (
    <main class="screen door">
      <Brand />
      <h1 class="unseen">{t("door.language")}</h1>
      <div class="stack" role="group" aria-label={t("door.language")}>
        {LANGUAGES.map(([code, own]) => (
          <button type="button" class={`button big ${code === locale.value ? "act" : "plain"}`} lang={code} key={code} onClick={() => void useLocale(code, true).then(onDone)}>
            {own}
          </button>
        ))}
      </div>
    </main>
  );
}

export function Brand() {
  return (
    <div class="brand">
      <Icon name="watch" />
      <span>SmartWatch</span>
    </div>
  );
}

function LogIn() {
  const start = begun.value;
  const [bySlip, setBySlip] = useState(start?.kind === "slip");
  const [phone, setPhone] = useState("");
  const [country, setCountry] = useState(OF_LANGUAGE[locale.value] ?? "CN");
  const [slip, setSlip] = useState(start?.kind === "slip" ? start.code : "");
  const [wall, setWall] = useState(start?.kind === "wall" ? start.code : "");
  const [asksWall, setAsksWall] = useState(start?.kind === "wall");
  const [sent, setSent] = useState<LoginCodeResponse | null>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const known = { phone: phone.trim(), country, locale: locale.value };

  async function run(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem("");
    try {
      await work();
    } catch (error) {
      if (error instanceof Refused && error.code === "hand_out_closed") setAsksWall(true);
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  }

  const askForCode = (): Promise<void> =>
    run(async () => {
      const code = asksWall && wall.trim() ? { hand_out_code: wall.trim() } : {};
      setSent(await askOpenly("POST /v1/auth/codes", { body: { ...known, ...code } }));
    });
  const useSlip = (): Promise<void> =>
    run(async () => {
      await enter(await askOpenly("POST /v1/auth/slips", { body: { ...known, slip_code: slip, label: await ownName(), keep: "cookie" } }));
      begun.value = null;
    });

  if (sent) return <Code sent={sent} known={known} onAgain={askForCode} onBack={() => setSent(null)} />;
  return (
    <main class="screen door">
      <Brand />
      <h1>{t("door.title")}</h1>
      {hasEnded.value && <Banner icon="lock">{t("door.ended")}</Banner>}
      <Form onSend={() => void (bySlip ? useSlip() : askForCode())}>
        <Field label={t("door.phone")} hint={t("door.phone_hint")} value={phone} onInput={setPhone} type="tel" inputMode="tel" autoComplete="tel" />
        <div class="field">
          <label for="country">{t("door.country")}</label>
          <select id="country" value={country} onChange={(event) => setCountry(event.currentTarget.value)}>
            {COUNTRIES.map((code) => <option key={code} value={code}>{new Intl.DisplayNames([locale.value], { type: "region" }).of(code)}</option>)}
          </select>
        </div>
        {bySlip && <Field label={t("door.slip")} hint={t("door.slip_hint")} value={slip} onInput={setSlip} autoComplete="off" />}
        {asksWall && !bySlip && <Field label={t("door.wall")} hint={t("door.wall_hint")} value={wall} onInput={setWall} autoComplete="off" />}
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!phone.trim() || (bySlip && !slip.trim())}>{bySlip ? t("door.enter") : t("door.send_code")}</Send>
      </Form>
      <Button kind="quiet" onClick={() => setBySlip(!bySlip)}>{bySlip ? t("door.by_sms") : t("door.by_slip")}</Button>
      {!bySlip && !asksWall && <Button kind="quiet" onClick={() => setAsksWall(true)}>{t("door.by_wall")}</Button>}
      <Button kind="quiet" icon="word" onClick={() => { isChosen.value = false; }}>{t("door.language")}</Button>
    </main>
  );
}

type CodeProps = {
  sent: LoginCodeResponse;
  known: { phone: string; country: string; locale: string };
  onAgain: () => Promise<void>;
  onBack: () => void;
};

function Code({ sent, known, onAgain, onBack }: CodeProps) {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [rest, setRest] = useState(sent.resend_after_s);
  useEffect(() => {
    const until = Date.now() + sent.resend_after_s * 1000;
    const timer = setInterval(() => setRest(Math.max(0, Math.ceil((until - Date.now()) / 1000))), 500);
    return () => clearInterval(timer);
  }, [sent.challenge_id]);
  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const { challenge_id, challenge_secret } = sent;
      const label = await ownName();
      await enter(await askOpenly("POST /v1/auth/tokens", { body: { ...known, challenge_id, challenge_secret, code, label, keep: "cookie" } }));
      if (begun.value?.kind === "wall") begun.value = null;
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  return (
    <main class="screen door">
      <Brand />
      <h1>{t("door.code_title")}</h1>
      <p>{t("door.code_sent", { phone: known.phone })}</p>
      <Form onSend={() => void send()}>
        <Field label={t("door.code")} value={code} onInput={setCode} inputMode="numeric" autoComplete="one-time-code" maxLength={12} />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={code.trim().length < 6}>{t("door.enter")}</Send>
      </Form>
      <Button kind="quiet" disabled={rest > 0} onClick={() => void onAgain()}>{rest > 0 ? t("door.again_in", { n: rest }) : t("door.again")}</Button>
      <Button kind="quiet" onClick={onBack}>{t("door.other_phone")}</Button>
    </main>
  );
}

/** A browser inside another app forgets: the same address is opened in the phone's own. */
function InApp() {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      setCopied(true);
    } catch {
      prompt(t("inapp.copy"), location.href);
    }
  };
  return (
    <main class="screen door">
      <Brand />
      <h1>{t("inapp.title")}</h1>
      <svg class="inapp-picture" viewBox="0 0 200 80" aria-hidden="true">
        <rect x="4" y="4" width="192" height="72" rx="10" />
        <circle cx="164" cy="22" r="3" /><circle cx="174" cy="22" r="3" /><circle cx="184" cy="22" r="3" />
        <path d="M120 60 Q150 60 172 32M164 34l9-3 2 9" />
      </svg>
      <p>{t("inapp.about")}</p>
      <Button kind="act" onClick={() => void copy()}>{isCopied ? t("inapp.copied") : t("inapp.copy")}</Button>
      <Button kind="quiet" onClick={continueHere}>{t("inapp.continue")}</Button>
    </main>
  );
}

/** On an iPhone the installed app is a phone of its own to the server, so it comes before the log-in. */
function InstallFirst({ onSkip }: { onSkip: () => void }) {
  return (
    <main class="screen door">
      <Brand />
      <h1>{t("install.title")}</h1>
      <p>{t("install.ios")}</p>
      <p class="soft">{t("install.why")}</p>
      <Button kind="plain" onClick={onSkip}>{t("inapp.continue")}</Button>
    </main>
  );
}

async function ownName(): Promise<string> {
  return phoneName(navigator.userAgent, await phoneModel());
}

export function sentenceOf(error: unknown): string {
  if (error instanceof Refused) {
    const wait = error.retryAfterMs;
    const sentence = problemSentence(error.code);
    return wait && wait > 90_000 ? `${sentence} ${t("problem.wait_minutes", { n: Math.ceil(wait / 60_000) })}` : sentence;
  }
  if (error instanceof Unreachable) return problemSentence("offline");
  throw error;
}

// A child calls for help: full screen, with sound, until somebody takes care. Nothing here is ever queued: an answer
// that the server has not given is no answer.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AlertResponse, HomeChild, SosPlaceResponse } from "../../shared/api-types.ts";
import { ask, within } from "../../shared/api.ts";
import { guardianId } from "../../shared/session.ts";
import { Button, Problem } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { clockTime, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { familyOf, openCalls, reload } from "../home/state.ts";
import { MapLink } from "../place/map.tsx";
import { useCallable } from "../people.ts";
import { ring } from "./ring.ts";

const ANSWER_WITHIN_MS = 10_000;
const HOLD_MS = 1_000;

/** Calls that this phone has put aside: the others are still asked. */
const putAside = signal<ReadonlySet<string>>(new Set());
/** Whether somebody wants to see such a call again. */
const reopened = signal<ReadonlySet<string>>(new Set());
/** The call that was shown, and who took it. */
const taken = signal<{ child: HomeChild; alert: AlertResponse; by: string } | null>(null);
let shown: { child: HomeChild; alert: AlertResponse } | null = null;

/** The call to show over every screen, if there is one. */
export function callToShow(): { child: HomeChild; alert: AlertResponse } | null {
  return openCalls().find((one) => !isAside(one.alert)) ?? null;
}

/** Whether this guardian said that they cannot help: the call rings no more here, and stays on the first screen. */
export function isAside(alert: AlertResponse): boolean {
  if (reopened.value.has(alert.alert_id)) return false;
  return putAside.value.has(alert.alert_id) || alert.answers.some((one) => one.guardian_id === guardianId() && one.answer === "cannot_help");
}

export function showAgain(alert: AlertResponse): void {
  reopened.value = new Set([...reopened.value, alert.alert_id]);
}

export function Sos() {
  const call = callToShow();
  useEffect(() => {
    if (call) shown = call;
    else if (shown) void tellEnd(shown);
  }, [call?.alert.alert_id]);
  if (call) return <Call key={call.alert.alert_id} child={call.child} alert={call.alert} />;
  return taken.value ? <Taken /> : null;
}

/** The call has gone from the list: another guardian took it, or the child took it back. */
async function tellEnd(ended: { child: HomeChild; alert: AlertResponse }): Promise<void> {
  shown = null;
  if (isAside(ended.alert)) return;
  try {
    const path = { child_id: ended.child.child.child_id, alert_id: ended.alert.alert_id };
    const alert = await ask("GET /v1/children/{child_id}/alerts/{alert_id}", { path });
    if (!alert.acknowledged_by) return;
    const { guardians } = await ask("GET /v1/families/{family_id}/guardians", { path: { family_id: ended.child.child.family_id } });
    const by = guardians.find((one) => one.guardian_id === alert.acknowledged_by)?.display_name ?? "";
    taken.value = { child: ended.child, alert, by };
  } catch {
    // Nothing to add: the call is no longer open.
  }
}

function Taken() {
  const of = taken.value;
  if (!of) return null;
  const at = clockTime(of.alert.acknowledged_at ?? of.alert.raised_at, familyOf(of.child)?.timezone ?? null);
  return (
    <div class="taken" role="alert">
      <Icon name="good" />
      <p>{t("sos.taken", { name: of.child.child.name, by: of.by || t("person.somebody"), at })}</p>
      <Button onClick={() => { taken.value = null; }}>{t("action.close")}</Button>
    </div>
  );
}

function Call({ child, alert }: { child: HomeChild; alert: AlertResponse }) {
  const name = child.child.name;
  const path = { child_id: child.child.child_id, alert_id: alert.alert_id };
  const contacts = useCallable(child.child.child_id);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [asks, setAsks] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    heading.current?.focus();
    return ring();
  }, []);

  /** Nothing of this is ever queued: what the server has not answered within ten seconds nobody was told. */
  const answer = async (said: "take_care" | "cannot_help"): Promise<boolean> => {
    setProblem("");
    const body = { answer: said, tapped_at: new Date().toISOString() };
    try {
      await within(ANSWER_WITHIN_MS, (timeoutMs) =>
        ask("POST /v1/children/{child_id}/alerts/{alert_id}/acknowledge", { path, body, timeoutMs }),
      );
      shown = null;
      return true;
    } catch {
      setProblem(t("sos.nobody_told"));
      return false;
    }
  };
  const takeCare = async (): Promise<void> => {
    setBusy(true);
    if (await answer("take_care")) await reload();
    setBusy(false);
    setAsks(false);
  };
  /** The others are called all the same; this phone stops ringing once the family knows. */
  const cannotHelp = async (): Promise<void> => {
    if (!(await answer("cannot_help"))) return;
    reopened.value = new Set([...reopened.value].filter((one) => one !== alert.alert_id));
    putAside.value = new Set([...putAside.value, alert.alert_id]);
    await reload();
  };
  const atHome = contacts.filter((one) => one.lives_with_child);
  const others = contacts.filter((one) => !one.lives_with_child);

  return (
    <div class="sos" role="alertdialog" aria-modal="true" aria-label={t("sos.title", { name })} data-testid="sos">
      <h1 tabIndex={-1} ref={heading}>{t("sos.title", { name })}</h1>
      <p>{t("sos.at", { at: clockTime(alert.happened_at ?? alert.raised_at, familyOf(child)?.timezone ?? null) })}</p>
      {problem && <Problem>{problem}</Problem>}
      <div class="stack">
        {alert.watch_number && <CallLink number={alert.watch_number} words={t("sos.call", { name })} />}
        {atHome.map((one) => <CallLink key={one.contact_id} number={one.number ?? ""} words={t("sos.call", { name: one.name })} />)}
        <CallLink number={alert.emergency_number} words={t("sos.emergency", { number: alert.emergency_number })} />
      </div>
      <div class="stack">
        <HoldButton isBusy={isBusy} onHeld={() => void takeCare()} onTap={() => setAsks(true)} />
        {asks && (
          <div class="choices">
            <Button onClick={() => setAsks(false)}>{t("action.no")}</Button>
            <Button kind="act" busy={isBusy} testId="take-care-yes" onClick={() => void takeCare()}>{t("sos.yes")}</Button>
          </div>
        )}
        <Button kind="quiet" testId="cannot-help" onClick={() => void cannotHelp()}>
          {t("sos.cannot_help")}
        </Button>
      </div>
      {others.length > 0 && (
        <div class="stack">
          <h2>{t("sos.others")}</h2>
          {others.map((one) => <CallLink key={one.contact_id} number={one.number ?? ""} words={t("sos.call", { name: one.name })} plain />)}
        </div>
      )}
      {child.may_locate && <CallPlace path={path} child={child} />}
      <p class="soft">{t("sos.not_a_service")}</p>
    </div>
  );
}

export function CallLink({ number, words, plain = false }: { number: string; words: string; plain?: boolean }) {
  return (
    <a class={plain ? "button" : "button call"} href={`tel:${number}`}>
      <Icon name="phone" />
      <span>{words}</span>
    </a>
  );
}

/** Held for a second, or tapped and confirmed: nobody takes a call by accident. */
function HoldButton({ isBusy, onHeld, onTap }: { isBusy: boolean; onHeld: () => void; onTap: () => void }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [isDown, setDown] = useState(false);
  const wasHeld = useRef(false);
  return (
    <button
      type="button"
      class={`button act hold ${isDown ? "down" : ""}`}
      aria-busy={isBusy}
      data-testid="take-care"
      onPointerDown={() => {
        wasHeld.current = false;
        setDown(true);
        timer.current = setTimeout(() => {
          wasHeld.current = true;
          setDown(false);
          onHeld();
        }, HOLD_MS);
      }}
      onPointerUp={() => { clearTimeout(timer.current); setDown(false); }}
      onPointerCancel={() => { clearTimeout(timer.current); setDown(false); }}
      onContextMenu={(event) => event.preventDefault()}
      onClick={() => { if (!wasHeld.current && !isBusy) onTap(); }}
    >
      <Icon name="hand" />
      <span>{t("sos.take_care")}</span>
    </button>
  );
}

function CallPlace({ path, child }: { path: { child_id: string; alert_id: string }; child: HomeChild }) {
  const [place, setPlace] = useState<SosPlaceResponse | null>(null);
  const [problem, setProblem] = useState("");
  const look = async (): Promise<void> => {
    try {
      setPlace(await ask("GET /v1/children/{child_id}/alerts/{alert_id}/place", { path }));
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  if (problem) return <Problem>{problem}</Problem>;
  if (!place) return <Button icon="place" onClick={() => void look()}>{t("sos.where", { name: child.child.name })}</Button>;
  if (!place.seen) return <p>{t("sos.no_place")}</p>;
  return <MapLink place={place.seen.place} kind={familyOf(child)?.map ?? "geo"} accuracy_m={place.seen.accuracy_m} />;
}

// A child calls for help: full screen, with sound, until somebody takes care. Nothing here is ever queued: an answer
// that the server has not given is no answer.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AlertResponse, ContactResponse, HomeChild, SosPlaceResponse } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { guardianId } from "../../shared/session.ts";
import { keep, kept } from "../../shared/store.ts";
import { Button, Problem } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { clockTime, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { familyOf, openCalls, reload } from "../home/state.ts";
import { MapLink } from "../place/map.tsx";
import { ring } from "./ring.ts";

const ANSWER_WITHIN_MS = 10_000;
const HOLD_MS = 1_000;

/** Calls that this phone has put aside: the others are still asked. */
const putAside = signal<ReadonlySet<string>>(new Set());
/** The call that was shown, and who took it. */
const taken = signal<{ child: HomeChild; alert: AlertResponse; by: string } | null>(null);
let shown: { child: HomeChild; alert: AlertResponse } | null = null;

/** The call to show over every screen, if there is one. */
export function callToShow(): { child: HomeChild; alert: AlertResponse } | null {
  return openCalls().find((one) => !putAside.value.has(one.alert.alert_id)) ?? null;
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
  if (putAside.value.has(ended.alert.alert_id)) return;
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
  const [contacts, setContacts] = useState<ContactResponse[]>([]);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [asks, setAsks] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    heading.current?.focus();
    const stopRinging = ring();
    void readContacts(child.child.child_id).then(setContacts);
    return stopRinging;
  }, []);

  const takeCare = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const body = { answer: "take_care" as const, tapped_at: new Date().toISOString() };
      await ask("POST /v1/children/{child_id}/alerts/{alert_id}/acknowledge", { path, body, timeoutMs: ANSWER_WITHIN_MS });
      shown = null;
      await reload();
    } catch {
      setProblem(t("sos.nobody_told"));
    }
    setBusy(false);
    setAsks(false);
  };

  /** The others are called all the same; this phone stops ringing once the family knows. */
  const cannotHelp = async (): Promise<void> => {
    setProblem("");
    try {
      const body = { answer: "cannot_help" as const, tapped_at: new Date().toISOString() };
      await ask("POST /v1/children/{child_id}/alerts/{alert_id}/acknowledge", { path, body, timeoutMs: ANSWER_WITHIN_MS });
      putAside.value = new Set([...putAside.value, alert.alert_id]);
      shown = null;
    } catch {
      setProblem(t("sos.nobody_told"));
    }
  };

  return (
    <div class="sos" role="alertdialog" aria-modal="true" aria-label={t("sos.title", { name })} data-testid="sos">
      <h1 tabIndex={-1} ref={heading}>{t("sos.title", { name })}</h1>
      <p>{t("sos.at", { at: clockTime(alert.happened_at ?? alert.raised_at, familyOf(child)?.timezone ?? null) })}</p>
      {problem && <Problem>{problem}</Problem>}
      <div class="stack">
        {alert.watch_number && <CallLink number={alert.watch_number} words={t("sos.call", { name })} />}
        {contacts.filter((one) => one.number && one.guardian_id !== guardianId()).map((one) => (
          <CallLink key={one.contact_id} number={one.number ?? ""} words={t("sos.call", { name: one.name })} />
        ))}
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
      {child.may_locate && <CallPlace path={path} child={child} />}
      <p class="soft">{t("sos.not_a_service")}</p>
    </div>
  );
}

function CallLink({ number, words }: { number: string; words: string }) {
  return (
    <a class="button call" href={`tel:${number}`}>
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

/** The people to call, also without a network: those who are marked for emergencies first. */
async function readContacts(child_id: string): Promise<ContactResponse[]> {
  const name = `contacts/${child_id}`;
  try {
    const { contacts } = await ask("GET /v1/children/{child_id}/contacts", { path: { child_id }, timeoutMs: 5000 });
    await keep(name, contacts);
    return sorted(contacts);
  } catch {
    return sorted((await kept<ContactResponse[]>(name)) ?? []);
  }
}

function sorted(contacts: ContactResponse[]): ContactResponse[] {
  return [...contacts].sort((a, b) => Number(b.emergency) - Number(a.emergency) || a.position - b.position);
}

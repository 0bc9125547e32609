// The round screen of the watch: what a child sees and presses.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../shared/ui/icon.tsx";
import { lengthOf, t } from "../shared/words.ts";
import { type Item, press, type State, state, type Watch } from "./desk.ts";
import { useHolding } from "./holding.ts";
import { play, playing, stop } from "./sound.ts";
import { Talk } from "./talk.tsx";

const SOS_MS = 3_000;
const FAMILY = "family";

type Screen = { name: "home" } | { name: "people" } | { name: "talk"; to: string } | { name: "inbox" } | { name: "item"; ref: string };
const screen = signal<Screen>({ name: "home" });

const home = (): void => void (screen.value = { name: "home" });

export function Face({ seen }: { seen: State }) {
  const { watch } = seen;
  const rang = useRef(seen.rings);
  const [isRinging, setRinging] = useState(false);
  useEffect(() => {
    if (seen.rings === rang.current) return;
    rang.current = seen.rings;
    setRinging(true);
    const timer = setTimeout(() => setRinging(false), SOS_MS);
    return () => clearTimeout(timer);
  }, [seen.rings]);
  return (
    <div class={`case ${isRinging ? "rings" : ""}`}>
      <section class={`face ${seen.power ? "" : "dark"}`} aria-label={t("screen.face")} data-testid="face">
        {watch === null ? <Off /> : <On seen={seen} watch={watch} />}
      </section>
    </div>
  );
}

function Off() {
  return (
    <div class="middle">
      <Icon name="bad" />
      <p>{t("screen.flat")}</p>
    </div>
  );
}

function On({ seen, watch }: { seen: State; watch: Watch }) {
  // What is shown belongs to a family that may be gone, or to a screen that is locked now.
  const isOpen = watch.paired && !watch.locked;
  useEffect(() => {
    if (!isOpen) home();
  }, [isOpen]);
  if (seen.sos) return <Call sos={seen.sos} />;
  if (seen.code) return <Code code={seen.code} />;
  if (!watch.paired) return <Unpaired refusal={seen.refusal} />;
  if (watch.locked) return <Locked />;
  const now = screen.value;
  switch (now.name) {
    case "people":
      return <People watch={watch} />;
    case "talk":
      return <Talk to={now.to} name={nameOf(now.to)} emoji={seen.emoji} watch={watch} onBack={() => (screen.value = { name: "people" })} />;
    case "inbox":
      return <Inbox watch={watch} />;
    case "item":
      return <OneItem item={watch.inbox.find((one) => one.ref === now.ref)} />;
    default:
      return <Home seen={seen} watch={watch} />;
  }
}

/** The name of a contact as the child knows it. */
function nameOf(id: string | null): string {
  if (id === FAMILY || id === null) return t("screen.family");
  return state.value?.watch?.contacts.find((one) => one.id === id)?.name ?? t("screen.somebody");
}

function Home({ seen, watch }: { seen: State; watch: Watch }) {
  const unread = watch.inbox.filter((one) => one.state === "delivered").length;
  return (
    <div class="home">
      <p class="line">
        {watch.quiet && <span title={t("screen.quiet")}><Icon name="moon" /></span>}
        {!watch.online && <span title={t("screen.no_network")}><Icon name="cross" /></span>}
        <span>{t("screen.pct", { n: seen.battery_pct })}</span>
      </p>
      <p class="clock">{watch.clock ?? "--:--"}</p>
      <p class="name">{watch.child_name}</p>
      <div class="pair">
        <button type="button" class="disc act" data-testid="people" aria-label={t("screen.talk")} onClick={() => (screen.value = { name: "people" })}><Icon name="mic" /></button>
        <button type="button" class="disc" data-testid="inbox" aria-label={t("screen.inbox_of", { n: unread })} onClick={() => (screen.value = { name: "inbox" })}>
          <Icon name="heard" />
          {unread > 0 && <b class="badge">{unread}</b>}
        </button>
      </div>
      <Sos />
    </div>
  );
}

function Sos() {
  const [isDown, setDown] = useState(false);
  const [hint, setHint] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const holding = useHolding({
    onDown: () => {
      setDown(true);
      setHint(false);
      timer.current = setTimeout(() => {
        setDown(false);
        void press({ do: "sos" });
      }, SOS_MS);
    },
    onUp: (ms) => {
      clearTimeout(timer.current);
      setDown(false);
      setHint(ms < SOS_MS);
    },
    onTap: () => setHint(true),
  });
  return (
    <>
      <button type="button" class={`sos-button ${isDown ? "down" : ""}`} data-testid="sos" aria-label={t("screen.sos_hold")} {...holding}>
        <span>SOS</span>
      </button>
      <p class="hint" role="status">{hint ? t("screen.sos_hint") : ""}</p>
    </>
  );
}

function People({ watch }: { watch: Watch }) {
  const people = watch.contacts.filter((one) => one.may_message);
  return (
    <div class="scroll">
      <Back to={home} title={t("screen.talk")} />
      <button type="button" class="line-button" data-testid="to" onClick={() => (screen.value = { name: "talk", to: FAMILY })}>
        <Icon name="family" />
        <span>{t("screen.family")}</span>
      </button>
      {people.map((one) => (
        <button type="button" class="line-button" data-testid="to" key={one.id} onClick={() => (screen.value = { name: "talk", to: one.id })}>
          <Icon name="child" />
          <span>
            {one.name}
            {one.on_shift_until && <small>{t("screen.on_shift", { at: one.on_shift_until })}</small>}
          </span>
        </button>
      ))}
      <button type="button" class="line-button" onClick={() => void press({ do: "pair" })}>
        <Icon name="lock" />
        <span>
          {t("screen.show_code")}
          <small>{t("screen.code_for")}</small>
        </span>
      </button>
    </div>
  );
}

function Inbox({ watch }: { watch: Watch }) {
  return (
    <div class="scroll">
      <Back to={home} title={t("screen.inbox")} />
      {watch.inbox.length === 0 && <p>{t("screen.inbox_empty")}</p>}
      {watch.inbox.map((one) => (
        <button type="button" class={`line-button ${one.state}`} data-testid="item" key={one.ref} onClick={() => open(one)} aria-label={labelOf(one)}>
          <Icon name={one.kind === "voice" ? (playing.value === one.ref ? "pause" : "play") : one.kind === "text" ? "paper" : "smile"} />
          <span>
            {nameOf(one.sender)}
            <small>{one.kind === "voice" ? lengthOf(one.duration_ms ?? 0) : one.text}</small>
          </span>
        </button>
      ))}
    </div>
  );
}

function labelOf(item: Item): string {
  const what = item.kind === "voice" ? t("screen.voice", { length: lengthOf(item.duration_ms ?? 0) }) : item.text;
  return `${item.state === "delivered" ? `${t("screen.new")}: ` : ""}${nameOf(item.sender)}, ${what}`;
}

function open(item: Item): void {
  if (item.kind === "voice") {
    void play(item.ref);
    return;
  }
  screen.value = { name: "item", ref: item.ref };
  void press({ do: "open", ref: item.ref });
}

function OneItem({ item }: { item: Item | undefined }) {
  return (
    <div class="scroll">
      <Back to={() => (screen.value = { name: "inbox" })} title={item ? nameOf(item.sender) : t("screen.inbox")} />
      <p class={item?.kind === "emoji" ? "glyph" : "letter"}>{item?.text ?? t("screen.gone")}</p>
    </div>
  );
}

function Back({ to, title }: { to: () => void; title: string }) {
  const go = (): void => {
    stop();
    to();
  };
  return (
    <div class="back">
      <button type="button" class="step" aria-label={t("screen.back")} onClick={go}><Icon name="back" /></button>
      <h2>{title}</h2>
    </div>
  );
}

function Unpaired({ refusal }: { refusal: string | null }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <div class="middle">
      <Icon name="watch" />
      <p>{t("screen.unpaired")}</p>
      {refusal && <p role="alert">{t("screen.no_code", { why: refusal })}</p>}
      <button type="button" class="pill act" data-testid="pair" aria-busy={isAsked && !refusal} onClick={() => { setAsked(true); void press({ do: "pair" }); }}>
        {t("screen.show_code")}
      </button>
    </div>
  );
}

function Code({ code }: { code: NonNullable<State["code"]> }) {
  return (
    <div class="middle code">
      <p class="digits" data-testid="code">{code.code}</p>
      <img src={code.picture} alt={t("screen.qr", { code: code.code })} />
      <button type="button" class="pill" onClick={() => void press({ do: "cancel_pairing" })}>{t("screen.cancel")}</button>
    </div>
  );
}

function Locked() {
  return (
    <div class="middle">
      <Icon name="lock" />
      <p>{t("screen.locked")}</p>
      <Sos />
    </div>
  );
}

function Call({ sos }: { sos: NonNullable<State["sos"]> }) {
  const said = {
    waiting: t("screen.sos_waiting"),
    sent: t("screen.sos_sent"),
    calling: t("screen.sos_calling"),
    seen: t("screen.sos_seen", { name: sos.by ?? t("screen.somebody") }),
    unanswered: t("screen.sos_unanswered", { names: sos.call || t("screen.family") }),
  }[sos.state];
  return (
    <div class={`middle alarm ${sos.state}`}>
      <h2>SOS</h2>
      <p role="status" data-testid="sos-state">{said}</p>
      <button type="button" class="pill" onClick={() => void press({ do: "sos_cancel" })}>{t("screen.sos_mistake")}</button>
      <button type="button" class="pill" data-testid="sos-close" onClick={() => void press({ do: "sos_close" })}>{t("screen.close")}</button>
    </div>
  );
}

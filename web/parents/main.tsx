// The parents' app: decides which screen stands, and begins and ends what runs behind all of them.
import { type ComponentChildren, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { effect, signal } from "@preact/signals";
import { screen } from "../shared/navigation.ts";
import { resume, standing } from "../shared/session.ts";
import { Button, Skeleton, Top } from "../shared/ui/parts.tsx";
import { fittingLocale, locale, t, useLocale } from "../shared/words.ts";
import { Announcer } from "./announce.tsx";
import { begun, takeFragment } from "./begun.ts";
import { Consent, Invited } from "./consent/consent.tsx";
import { Door, Languages } from "./door/door.tsx";
import { Home } from "./home/home.tsx";
import { NewChild, needsConsent, OwnName, Pair } from "./home/setup.tsx";
import { forget, home, start } from "./home/state.ts";
import { Proof } from "./proof.tsx";
import { callToShow, Sos } from "./sos/sos.tsx";
import { flush, hurry, load } from "./talk/queue.ts";
import { tellHeard } from "./talk/player.ts";
import { Talk } from "./talk/talk.tsx";
import { registerWorker } from "./worker.ts";

type LateScreens = typeof import("./late.tsx");
const late = signal<LateScreens | null>(null);

/** A screen of the second part of the app; without a network it comes from what the phone kept. */
function Late({ show }: { show: (screens: LateScreens) => ComponentChildren }) {
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    if (!late.value) import("./late.tsx").then((loaded) => { late.value = loaded; }, () => setMissing(true));
  }, []);
  if (late.value) return <>{show(late.value)}</>;
  return (
    <main class="screen">
      <Top title="SmartWatch" />
      {isMissing ? <p class="problem" role="alert">{t("problem.offline")}</p> : <Skeleton lines={4} />}
    </main>
  );
}

function App() {
  if (standing.value !== "in") return <Door />;
  return (
    <>
      <div inert={callToShow() !== null}>{inside()}</div>
      <Sos />
      <Announcer />
      <Proof />
    </>
  );
}

function inside() {
  const me = home.value?.me;
  const invitation = me?.invitations[0];
  if (invitation) return <Invited key={invitation.invitation_id} invitation={invitation} />;
  const unasked = me?.families.find(needsConsent);
  if (unasked) return <Consent family={unasked} />;
  if (me && me.families.length > 0 && !me.display_name) return <OwnName />;
  const at = screen.value;
  const of = at.name === "home" ? undefined : at.child_id;
  if (home.value && home.value.children.length === 0 && me?.families[0]?.may_manage && at.name === "home") {
    return <NewChild family_id={me.families[0].family_id} isFirst />;
  }
  switch (at.name) {
    case "home":
      return <Home />;
    case "talk":
      return <Talk key={of} child_id={at.child_id} />;
    case "place":
      return <Late key={of} show={({ Place }) => <Place child_id={at.child_id} />} />;
    case "pair":
      return <Pair key={of} child_id={of ?? ""} />;
    case "child":
      return <NewChild family_id={of ?? ""} isFirst={false} />;
    case "language":
      return <Languages onDone={() => history.back()} />;
    case "settings":
    case "phones":
    case "consents":
    case "guardians": {
      const part = at.name;
      return <Late key={part} show={({ Settings }) => <Settings part={part} />} />;
    }
    default:
      return <Late key={at.name} show={({ More }) => <More part={at.name} child_id={of ?? ""} />} />;
  }
}

/** A fault of ours: what was kept stays, and the way out is one button. */
function Faulty() {
  const [isFaulty, setFaulty] = useState(false);
  useEffect(() => {
    const onFault = (event: Event): void => {
      console.error(event instanceof ErrorEvent ? event.error : (event as PromiseRejectionEvent).reason);
      setFaulty(true);
    };
    addEventListener("error", onFault);
    addEventListener("unhandledrejection", onFault);
    return () => {
      removeEventListener("error", onFault);
      removeEventListener("unhandledrejection", onFault);
    };
  }, []);
  if (!isFaulty) return null;
  return (
    <div class="faulty" role="alert">
      <p>{t("fault.sentence")}</p>
      <Button onClick={() => location.reload()}>{t("fault.reload")}</Button>
    </div>
  );
}

async function begin(): Promise<void> {
  takeFragment();
  await useLocale(fittingLocale());
  const root = document.getElementById("app");
  if (root) render(<><App /><Faulty /></>, root);
  // The words were read before the worker stood: read again, they are kept for a start without a network.
  registerWorker(() => void useLocale(locale.value).catch(() => undefined));
  addEventListener("online", () => void hurry());
  addEventListener("hashchange", takeFragment);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void hurry();
  });
  let wasIn = false;
  effect(() => {
    const isIn = standing.value === "in";
    if (isIn && !wasIn) void load().then(start).then(tellHeard).then(flush);
    if (!isIn && wasIn) {
      forget();
      void load();
      begun.value = null;
    }
    wasIn = isIn;
  });
  await resume();
}

void begin();

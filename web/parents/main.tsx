// The parents' app: decides which screen stands, and begins and ends what runs behind all of them.
import { type ComponentChildren, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { effect, signal } from "@preact/signals";
import { screen } from "../shared/navigation.ts";
import { resume, standing } from "../shared/session.ts";
import { Skeleton, Top } from "../shared/ui/parts.tsx";
import { Faulty } from "../shared/ui/faulty.tsx";
import { fittingLocale, readWordsAgain, t, useLateWords, useLocale } from "../shared/words.ts";
import { Announcer } from "./announce.tsx";
import { begun, isInApp, takeFragment } from "./begun.ts";
import { Door, Languages } from "./door/door.tsx";
import { Home } from "./home/home.tsx";
import { forgetQuestion } from "./home/question.tsx";
import { forget, home, needsConsent, reload, start } from "./home/state.ts";
import { guardByLock, isLocked, LockScreen } from "./lock.tsx";
import { keepCallable } from "./people.ts";
import { Proof } from "./proof.tsx";
import { Check } from "./sos/check.tsx";
import { callToShow, Sos } from "./sos/sos.tsx";
import { mode } from "./talk/button.tsx";
import { hurry, later, load } from "./talk/queue.ts";
import { tellHeard } from "./talk/player.ts";
import { Talk } from "./talk/talk.tsx";
import { registerWorker } from "./worker.ts";

type Screens = typeof import("./late.tsx") & typeof import("./begin.tsx");
const late = signal<Screens | null>(null);

async function loadLate(): Promise<void> {
  const [screens, beginning] = await Promise.all([import("./late.tsx"), import("./begin.tsx"), useLateWords()]);
  late.value = { ...screens, ...beginning };
}

/** A screen of a later part of the app; without a network it comes from what the phone kept. */
function Late({ show }: { show: (screens: Screens) => ComponentChildren }) {
  const [failed, setFailed] = useState(0);
  useEffect(() => {
    if (late.value) return;
    return later(failed, () => void loadLate().catch(() => setFailed(failed + 1)));
  }, [failed]);
  if (late.value) return <>{show(late.value)}</>;
  return (
    <main class="screen">
      <Top title="SmartWatch" />
      {failed ? <p class="problem" role="alert">{t("problem.offline")}</p> : <Skeleton lines={4} />}
    </main>
  );
}

function App() {
  if (standing.value === "limited" && !isInApp.value) return <Late key="second" show={({ SecondStep }) => <SecondStep />} />;
  if (standing.value !== "in") return <Door />;
  return (
    <>
      <div inert={callToShow() !== null}>{isLocked.value ? <LockScreen /> : inside()}</div>
      <Sos />
      {callToShow() === null && !isLocked.value && <Check />}
      <Announcer />
      <Proof />
    </>
  );
}

function inside() {
  const me = home.value?.me;
  const invitation = me?.invitations[0];
  if (invitation) return <Late key={invitation.invitation_id} show={({ Invited }) => <Invited invitation={invitation} />} />;
  const unasked = me?.families.find(needsConsent);
  if (unasked) return <Late key="consent" show={({ Consent }) => <Consent family={unasked} />} />;
  if (me && me.families.length > 0 && !me.display_name) return <Late key="name" show={({ OwnName }) => <OwnName />} />;
  const at = screen.value;
  const of = at.name === "home" ? undefined : at.child_id;
  if (home.value && home.value.children.length === 0 && me?.families[0]?.may_manage && at.name === "home") {
    const { family_id } = me.families[0];
    return <Late key="first" show={({ NewChild }) => <NewChild family_id={family_id} isFirst />} />;
  }
  switch (at.name) {
    case "home":
      return <Home />;
    case "talk":
      return <Talk key={of} child_id={at.child_id} />;
    case "place":
      return <Late key={of} show={({ Place }) => <Place child_id={at.child_id} />} />;
    case "pair":
      return <Late key={`pair${of}`} show={({ Pair }) => <Pair key={of} child_id={of ?? ""} />} />;
    case "child":
      return <Late key="child" show={({ NewChild }) => <NewChild family_id={of ?? ""} isFirst={false} />} />;
    case "question":
      return <Late key="question" show={({ Asked }) => <Asked />} />;
    case "language":
      return <Languages onDone={() => { void reload(); history.back(); }} />;
    case "settings":
    case "phones":
    case "number":
    case "consents":
    case "guardians": {
      const part = at.name;
      return <Late key={part} show={({ Settings }) => <Settings part={part} />} />;
    }
    default:
      return <Late key={at.name} show={({ More }) => <More part={at.name} child_id={of ?? ""} />} />;
  }
}

/** What is wanted later without a network: the other screens, and whom to call. */
async function prepare(): Promise<void> {
  try {
    await loadLate();
    await keepCallable((home.value?.children ?? []).filter((one) => one.may_message).map((one) => one.child.child_id));
  } catch {
    // At the next opening.
  }
}

let isOutdated = false;

/** A newer version begins between messages, never during one: on the first screen, or when the phone is put away. */
function takeOver(): void {
  const isBusy = mode.value !== "idle" || callToShow() !== null || document.querySelector("form") !== null;
  if (isOutdated && !isBusy && (document.visibilityState === "hidden" || screen.value.name === "home")) location.reload();
}

async function begin(): Promise<void> {
  takeFragment();
  guardByLock();
  await useLocale(fittingLocale());
  const root = document.getElementById("app");
  if (root) render(<><App /><Faulty /></>, root);
  // The words were read before the worker stood: read again, they are kept for a start without a network.
  registerWorker(() => void readWordsAgain().catch(() => undefined), () => { isOutdated = true; takeOver(); });
  addEventListener("online", () => void hurry());
  addEventListener("hashchange", takeFragment);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void hurry();
    else takeOver();
  });
  screen.subscribe(takeOver);
  let wasIn = false;
  effect(() => {
    const isIn = standing.value === "in";
    if (isIn && !wasIn) void load().then(start).then(tellHeard).then(hurry).then(prepare);
    if (!isIn && wasIn) {
      forget();
      forgetQuestion();
      void load();
      begun.value = null;
    }
    wasIn = isIn;
  });
  await resume();
}

void begin();

// On which phones the parent is logged in, the PIN for a new one, and whether this phone can be woken.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../../shared/api.ts";
import { Banner, Button, Problem, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { ago, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { home } from "../home/state.ts";
import { LockCard } from "./lock-card.tsx";
import { type PushState, pushState, subscribe } from "./push.ts";
import { useRead } from "../read.ts";
import { PinForm } from "./settings.tsx";

export function Phones() {
  const { value, problem, change } = useRead(() => ask("GET /v1/me/sessions"), []);
  const [isPin, setPin] = useState(false);
  return (
    <main class="screen">
      <Top title={t("phones.title")} />
      {problem && <Problem>{problem}</Problem>}
      {!value && !problem && <Skeleton />}
      <ul class="rows">
        {value?.sessions.map((one) => (
          <li class="row" key={one.session_id}>
            <span>
              {one.current ? t("phones.this") : one.label || t("phones.other")}
              <small>{t("phones.used", { ago: ago(one.last_used_at) })}</small>
            </span>
            {!one.current && <Button kind="quiet" onClick={() => void change(() => ask("DELETE /v1/me/sessions/{session_id}", { path: { session_id: one.session_id } }))}>{t("action.log_out")}</Button>}
          </li>
        ))}
      </ul>
      <section class="card stack">
        <h2>{t("pin.title")}</h2>
        <p class="soft">{home.value?.pin_is_set ? t("pin.is_set") : t("pin.about")}</p>
        {isPin ? <PinForm onDone={() => setPin(false)} /> : <Button onClick={() => setPin(true)}>{home.value?.pin_is_set ? t("pin.change") : t("pin.set")}</Button>}
      </section>
      <LockCard />
      <Wake />
    </main>
  );
}

/** Does this phone ring? Most phones without Google's services cannot be woken, and the screen says so. */
function Wake() {
  const [state, setState] = useState<PushState>("unknown");
  const [problem, setProblem] = useState("");
  const [endpoint, setEndpoint] = useState("");
  const [isTried, setTried] = useState(false);
  useEffect(() => void pushState().then(setState), []);
  const turnOn = async (): Promise<void> => {
    setProblem("");
    try {
      const found = await subscribe();
      setEndpoint(found ?? "");
      setState(await pushState());
    } catch (error) {
      setProblem(error instanceof DOMException ? t("push.none") : sentenceOf(error));
    }
  };
  const tryIt = async (): Promise<void> => {
    try {
      await ask("POST /v1/push-endpoints/{endpoint_id}/try", { path: { endpoint_id: endpoint } });
      setTried(true);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section class="card stack">
      <h2>{t("push.title")}</h2>
      {state === "none" && <Banner icon="bell">{t("push.none")}</Banner>}
      {state === "denied" && <Banner icon="bell">{t("push.denied")}</Banner>}
      {state === "on" && <p>{t("push.on")}</p>}
      {state === "off" && <p class="soft">{t("push.about")}</p>}
      {problem && <Problem>{problem}</Problem>}
      {(state === "off" || (state === "on" && !endpoint)) && <Button icon="bell" onClick={() => void turnOn()}>{state === "on" ? t("push.check") : t("push.turn_on")}</Button>}
      {endpoint && <Button icon="bell" onClick={() => void tryIt()}>{t("push.try")}</Button>}
      {isTried && <p role="status">{t("push.tried")}</p>}
    </section>
  );
}

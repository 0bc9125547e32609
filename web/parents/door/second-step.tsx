// A new phone: the PIN, the code on the watch, or the other parent says that it is really them.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../../shared/api.ts";
import { logOut, passSecondStep } from "../../shared/session.ts";
import { Button, Field, Form, Problem, Send } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { Brand, sentenceOf } from "./door.tsx";

const LOOK_EVERY_MS = 3_000;

export function SecondStep() {
  const [way, setWay] = useState<"pin" | "watch" | "other">("pin");
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);

  // The other parent may confirm whatever this screen shows just now.
  useEffect(() => {
    const look = async (): Promise<void> => {
      try {
        if (!(await ask("GET /v1/auth/second-step")).needed) passSecondStep();
      } catch {
        // Asked again in a moment; a session that has ended leads back to the door by itself.
      }
    };
    const timer = setInterval(() => void look(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);

  // Who took the number over would log in with a new phone too: the owner of the old number stops it from here.
  const [isMoving, setMoving] = useState(false);
  useEffect(() => {
    ask("GET /v1/me/number-change").then((found) => setMoving(found.changes.length > 0), () => undefined);
  }, []);
  const stopMove = async (): Promise<void> => {
    try {
      await ask("POST /v1/me/number-change/stop");
      setMoving(false);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };

  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await ask("POST /v1/auth/second-step", { body: way === "pin" ? { pin: code } : { watch_code: code } });
      passSecondStep();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };

  return (
    <main class="screen door">
      <Brand />
      <h1>{t("second.title")}</h1>
      <p>{t("second.about")}</p>
      {way === "other" ? (
        <p class="card">{t("second.other_about")}</p>
      ) : (
        <Form onSend={() => void send()}>
          <Field
            key={way}
            label={way === "pin" ? t("second.pin") : t("second.watch")}
            hint={way === "pin" ? undefined : t("second.watch_hint")}
            value={code}
            onInput={setCode}
            inputMode="numeric"
            autoComplete="off"
            type={way === "pin" ? "password" : "text"}
          />
          {problem && <Problem>{problem}</Problem>}
          <Send busy={isBusy} disabled={!code.trim()}>{t("door.enter")}</Send>
        </Form>
      )}
      {(["pin", "watch", "other"] as const).filter((one) => one !== way).map((one) => (
        <Button key={one} kind="quiet" onClick={() => { setWay(one); setCode(""); setProblem(""); }}>{t(`second.by_${one}`)}</Button>
      ))}
      {isMoving && (
        <div class="card stack">
          <p>{t("second.moving")}</p>
          <Button kind="bad" onClick={() => void stopMove()}>{t("second.stop_move")}</Button>
        </div>
      )}
      <Button kind="quiet" onClick={() => void logOut()}>{t("action.log_out")}</Button>
    </main>
  );
}

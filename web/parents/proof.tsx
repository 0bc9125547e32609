// Before what cannot be undone: the PIN, or a fresh code where there is none. The step then goes on by itself.
import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import type { LoginCodeResponse } from "../shared/api-types.ts";
import { ask, onProofAsked } from "../shared/api.ts";
import { Button, Field, Form, Problem, Send, Sheet } from "../shared/ui/parts.tsx";
import { t } from "../shared/words.ts";
import { sentenceOf } from "./door/door.tsx";

interface Asked {
  how: "pin" | "code";
  end: (isGiven: boolean) => void;
}

const asked = signal<Asked | null>(null);

onProofAsked((how) => {
  asked.value?.end(false);
  return new Promise((resolve) => {
    asked.value = {
      how,
      end: (isGiven) => {
        asked.value = null;
        resolve(isGiven);
      },
    };
  });
});

/** Stands over every screen while a step waits for its proof. */
export function Proof() {
  const one = asked.value;
  return one ? <ProofSheet key={one.how} how={one.how} end={one.end} /> : null;
}

function ProofSheet({ how, end }: Asked) {
  const [typed, setTyped] = useState("");
  const [sent, setSent] = useState<LoginCodeResponse | null>(null);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    if (how === "code") ask("POST /v1/me/step-up/codes").then(setSent, (error: unknown) => setProblem(sentenceOf(error)));
  }, []);

  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const code = { challenge_id: sent?.challenge_id ?? null, challenge_secret: sent?.challenge_secret ?? null, code: typed };
      await ask("POST /v1/me/step-up", { body: how === "pin" ? { pin: typed } : code });
      end(true);
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };

  return (
    <Sheet title={t("proof.title")} onClose={() => end(false)}>
      <p>{t(how === "pin" ? "proof.about_pin" : "proof.about_code")}</p>
      <Form onSend={() => void send()}>
        <Field
          label={t(how === "pin" ? "second.pin" : "proof.code")}
          value={typed}
          onInput={setTyped}
          inputMode="numeric"
          type={how === "pin" ? "password" : "text"}
          autoComplete={how === "pin" ? "off" : "one-time-code"}
        />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!typed.trim() || (how === "code" && !sent)}>{t("door.enter")}</Send>
      </Form>
      <Button kind="quiet" onClick={() => end(false)}>{t("action.close")}</Button>
    </Sheet>
  );
}

// From an address and a password to a session: a code each time, and the authenticator app once.
import { useState } from "preact/hooks";
import { Icon } from "../../shared/ui/icon.tsx";
import { Banner, Button, Field, Form, Problem, Send } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { askOpenly } from "../api.ts";
import { enter, hasEnded } from "../session.ts";
import { useBusy } from "../ui/asking.ts";
import { Language } from "../ui/language.tsx";
import { SetUp } from "./set-up.tsx";

export function Door() {
  const [isFirst, setFirst] = useState(false);
  return (
    <main class="screen door">
      <div class="head">
        <div class="brand"><Icon name="watch" /><span>SmartWatch</span></div>
        <Language />
      </div>
      {isFirst ? <SetUp onBack={() => setFirst(false)} /> : <LogIn onFirst={() => setFirst(true)} />}
    </main>
  );
}

function LogIn({ onFirst }: { onFirst: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const { isBusy, problem, run } = useBusy();
  const logIn = (): Promise<void> =>
    run(async () => {
      await enter(await askOpenly("POST /v1/staff/auth/tokens", { body: { email: email.trim(), password, code: code.replace(/\s/g, ""), keep: "cookie" } }));
    });
  return (
    <>
      <h1>{t("staff_door.title")}</h1>
      {hasEnded.value && <Banner icon="lock">{t("staff_door.ended")}</Banner>}
      <Form onSend={() => void logIn()}>
        <Field label={t("staff_door.email")} value={email} onInput={setEmail} autoComplete="username" />
        <Field label={t("staff_door.password")} value={password} onInput={setPassword} type="password" autoComplete="current-password" />
        <Field label={t("staff_door.code")} hint={t("staff_door.code_hint")} value={code} onInput={setCode} autoComplete="one-time-code" />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!email.trim() || !password || !code.trim()}>{t("staff_door.enter")}</Send>
      </Form>
      <Button kind="quiet" onClick={onFirst}>{t("staff_door.first")}</Button>
    </>
  );
}

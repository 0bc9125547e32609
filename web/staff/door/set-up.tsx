// The first log-in: the authenticator app, an own password, and the recovery codes, which are shown once.
import { useState } from "preact/hooks";
import { Button, Field, Form, Problem, Send } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import type { StaffSetUpDoneResponse, StaffSetUpResponse } from "../api-types.ts";
import { askOpenly } from "../api.ts";
import { enter } from "../session.ts";
import { useBusy } from "../ui/asking.ts";
import { saveFile } from "../ui/files.ts";

const LEAST_LETTERS = 12;

export function SetUp({ onBack }: { onBack: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [begun, setBegun] = useState<StaffSetUpResponse | null>(null);
  const [done, setDone] = useState<StaffSetUpDoneResponse | null>(null);
  const { isBusy, problem, run } = useBusy();
  if (done) return <RecoveryCodes codes={done.recovery_codes} onNoted={() => void run(() => enter(done))} />;
  if (begun) return <Own email={email} password={password} begun={begun} onDone={setDone} />;
  const begin = (): Promise<void> =>
    run(async () => {
      setBegun(await askOpenly("POST /v1/staff/auth/set-up", { body: { email: email.trim(), password } }));
    });
  return (
    <>
      <h1>{t("set_up.title")}</h1>
      <p>{t("set_up.about")}</p>
      <Form onSend={() => void begin()}>
        <Field label={t("staff_door.email")} value={email} onInput={setEmail} autoComplete="username" />
        <Field label={t("set_up.first_password")} value={password} onInput={setPassword} type="password" autoComplete="off" />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!email.trim() || !password}>{t("action.next")}</Send>
      </Form>
      <Button kind="quiet" onClick={onBack}>{t("action.back")}</Button>
    </>
  );
}

function Own({ email, password, begun, onDone }: { email: string; password: string; begun: StaffSetUpResponse; onDone: (done: StaffSetUpDoneResponse) => void }) {
  const [code, setCode] = useState("");
  const [own, setOwn] = useState("");
  const [again, setAgain] = useState("");
  const { isBusy, problem, run } = useBusy();
  const secret = new URL(begun.otpauth_url).searchParams.get("secret") ?? "";
  const isShort = own.length > 0 && own.length < LEAST_LETTERS;
  const differs = again.length > 0 && again !== own;
  const confirm = (): Promise<void> =>
    run(async () => {
      onDone(await askOpenly("POST /v1/staff/auth/set-up/confirm", { body: { email: email.trim(), password, code: code.replace(/\s/g, ""), new_password: own, keep: "cookie" } }));
    });
  return (
    <>
      <h1>{t("set_up.app")}</h1>
      <p>{t("set_up.app_about")}</p>
      <img class="qr" src={`data:image/svg+xml;utf8,${encodeURIComponent(begun.qr_svg)}`} alt={t("set_up.app")} />
      <p class="soft">{t("set_up.typed")} <code data-testid="secret">{secret}</code></p>
      <Form onSend={() => void confirm()}>
        <Field label={t("set_up.code")} value={code} onInput={setCode} inputMode="numeric" autoComplete="one-time-code" />
        <Field label={t("set_up.own_password")} hint={t("set_up.own_hint", { n: LEAST_LETTERS })} error={isShort ? t("set_up.own_hint", { n: LEAST_LETTERS }) : undefined} value={own} onInput={setOwn} type="password" autoComplete="new-password" />
        <Field label={t("set_up.again")} error={differs ? t("set_up.differs") : undefined} value={again} onInput={setAgain} type="password" autoComplete="new-password" />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!code.trim() || own.length < LEAST_LETTERS || again !== own}>{t("action.next")}</Send>
      </Form>
    </>
  );
}

function RecoveryCodes({ codes, onNoted }: { codes: string[]; onNoted: () => void }) {
  return (
    <>
      <h1>{t("set_up.codes")}</h1>
      <p>{t("set_up.codes_about")}</p>
      <ul class="codes" data-testid="recovery-codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ul>
      <div class="choices">
        <Button onClick={() => print()}>{t("set_up.print")}</Button>
        <Button onClick={() => saveFile(new Blob([codes.join("\n")], { type: "text/plain" }), "codes.txt")}>{t("set_up.save")}</Button>
      </div>
      <Button kind="act" onClick={onNoted} testId="noted">{t("set_up.noted")}</Button>
    </>
  );
}

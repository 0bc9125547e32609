// The own account: password, recovery codes, and where it is logged in.
import { useState } from "preact/hooks";
import { ago, ask, Button, Facts, Field, Form, has, Head, type Key, Loaded, me, Problem, saveFile, Send, shortDate, t, Table, useAsked, useBusy } from "../kit.ts";

export function Screen() {
  const own = me.value;
  if (!own) return null;
  const role = `role.${own.role}`;
  return (
    <>
      <Head title={t("account.title")} />
      <Facts of={[
        [own.display_name, own.email],
        [t("account.role"), has(role) ? t(role as Key) : own.role],
        [t("account.scope"), own.scopes.map((scope) => [scope.site, scope.programme].filter(Boolean).join(", ")).join("; ")],
      ]} />
      <Sessions />
      <Password />
      <Codes />
    </>
  );
}

function Sessions() {
  const asked = useAsked("GET /v1/staff/me/sessions", {});
  const { problem, run } = useBusy();
  const end = (staff_session_id: string): Promise<void> => run(async () => {
    await ask("DELETE /v1/staff/me/sessions/{staff_session_id}", { path: { staff_session_id } });
    await asked.reload();
  });
  return (
    <section class="stack">
      <h2>{t("account.sessions")}</h2>
      {problem && <Problem>{problem}</Problem>}
      <Loaded asked={asked}>
        {({ sessions }) => (
          <Table
            caption={t("account.sessions")} rows={sessions} keyOf={(one) => one.staff_session_id} testId="sessions"
            columns={[
              { title: t("account.since"), cell: (one) => shortDate(one.created_at) },
              { title: t("account.used"), cell: (one) => ago(one.last_used_at) },
              { title: t("account.end"), cell: (one) => (one.current ? t("account.here") : <button type="button" class="small" onClick={() => void end(one.staff_session_id)}>{t("account.end")}</button>) },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function Password() {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    await ask("POST /v1/staff/me/password", { body: { password, code, new_password: next } });
    for (const empty of [setPassword, setCode, setNext, setAgain]) empty("");
    setTold(t("account.password_changed"));
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <h2>{t("account.password")}</h2>
        <Field label={t("account.old_password")} type="password" autoComplete="current-password" value={password} onInput={setPassword} />
        <Field label={t("account.code")} inputMode="numeric" autoComplete="one-time-code" maxLength={6} value={code} onInput={setCode} />
        <Field label={t("account.new_password")} type="password" autoComplete="new-password" hint={t("set_up.own_hint", { n: 12 })} value={next} onInput={setNext} />
        <Field label={t("account.new_again")} type="password" autoComplete="new-password" error={again && again !== next ? t("account.differs") : ""} value={again} onInput={setAgain} />
        {problem && <Problem>{problem}</Problem>}
        <p class="good" role="status">{told}</p>
        <div class="choices start"><Send busy={isBusy} disabled={!password || code.length !== 6 || next.length < 12 || next !== again}>{t("account.password")}</Send></div>
      </Form>
    </section>
  );
}

/** The codes are on the screen only: leaving it forgets them. */
function Codes() {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [codes, setCodes] = useState<string[]>([]);
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    const told = await ask("POST /v1/staff/me/recovery-codes", { body: { password, code } });
    setPassword("");
    setCode("");
    setCodes(told.recovery_codes);
  });
  return (
    <section class="card stack">
      <h2>{t("account.codes")}</h2>
      <p class="soft">{t("account.codes_about")}</p>
      {codes.length > 0 ? (
        <>
          <ul class="codes" data-testid="recovery-codes">{codes.map((one) => <li key={one}><code>{one}</code></li>)}</ul>
          <div class="choices start">
            <Button icon="paper" onClick={() => print()}>{t("desk.print")}</Button>
            <Button onClick={() => saveFile(new Blob([codes.join("\n")], { type: "text/plain" }), "smartwatch-recovery-codes.txt")}>{t("account.save")}</Button>
            <Button kind="act" onClick={() => setCodes([])}>{t("account.codes_kept")}</Button>
          </div>
        </>
      ) : (
        <Form onSend={() => void send()}>
          <Field label={`${t("account.codes")}: ${t("account.old_password")}`} type="password" autoComplete="current-password" value={password} onInput={setPassword} />
          <Field label={`${t("account.codes")}: ${t("account.code")}`} inputMode="numeric" autoComplete="one-time-code" maxLength={6} value={code} onInput={setCode} />
          {problem && <Problem>{problem}</Problem>}
          <div class="choices start"><Send busy={isBusy} disabled={!password || code.length !== 6}>{t("account.codes_new")}</Send></div>
        </Form>
      )}
    </section>
  );
}

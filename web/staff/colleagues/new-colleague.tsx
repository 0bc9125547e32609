// A new account: the first password goes to the colleague's phone and to nobody else.
import { useState } from "preact/hooks";
import { ask, Field, Form, type Key, me, Pick, Problem, Send, site, Switch, t, useBusy } from "../kit.ts";

const ROLES = ["coordinator", "staff", "manager", "admin", "factory"] as const;
export type Role = (typeof ROLES)[number];

export function NewColleague({ onAsked }: { onAsked: () => void }) {
  const [email, setEmail] = useState("");
  const [display_name, setName] = useState("");
  const [phone, setPhone] = useState("");
  const [role, setRole] = useState<Role>("coordinator");
  const [employed_by_factory, setEmployed] = useState(false);
  const [programme_id, setProgramme] = useState("");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  const programmes = (me.value?.scopes ?? []).filter((scope) => scope.programme_id && scope.programme === site.value?.programme);
  const send = (): Promise<void> => run(async () => {
    const place = programme_id ? { programme_id } : { site_id: site.value?.site_id ?? "" };
    const made = await ask("POST /v1/staff/accounts", { body: { email, display_name, phone, role, employed_by_factory, ...place } });
    setTold(t(made.state === "done" ? "colleagues.opened" : "colleagues.asked"));
    for (const empty of [setEmail, setName, setPhone]) empty("");
    onAsked();
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <h2>{t("colleagues.new")}</h2>
        <div class="filters">
          <Field label={t("colleagues.name")} value={display_name} maxLength={80} autoComplete="off" onInput={setName} />
          <Field label={t("colleagues.email")} value={email} maxLength={254} autoComplete="off" onInput={setEmail} />
        </div>
        <Field label={t("colleagues.phone")} hint={t("colleagues.phone_hint")} type="tel" value={phone} maxLength={32} autoComplete="off" onInput={setPhone} />
        <div class="filters">
          <Pick label={t("colleagues.role")} value={role} onPick={(value) => { setRole(value as Role); setEmployed(value === "factory"); }} options={ROLES.map((one) => [one, t(`role.${one}` as Key)])} />
          <Pick label={t("colleagues.where")} value={programme_id} onPick={setProgramme} options={[["", site.value?.name ?? ""], ...programmes.map((one) => [one.programme_id ?? "", t("usage.whole_programme")] as const)]} />
        </div>
        <Switch label={t("colleagues.by_factory")} on={employed_by_factory} onChange={setEmployed} />
        {problem && <Problem>{problem}</Problem>}
        <p class="good" role="status">{told}</p>
        <div class="choices start"><Send busy={isBusy} disabled={!email || !display_name || !phone}>{t("colleagues.ask")}</Send></div>
      </Form>
    </section>
  );
}

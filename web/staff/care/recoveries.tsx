// Account recovery: two colleagues who see the paper, 48 hours in which guardians can object.
import { useState } from "preact/hooks";
import { ask, Button, Choice, dayAndTime, Field, Form, type Key, Loaded, me, Problem, Send, Sheet, shortDate, site, t, Table, useActing, useAsked, useBusy } from "../kit.ts";
import type { RecoveryResponse } from "../api-types.ts";
import { type Paper, usePaper, WithPaper } from "./paper.tsx";

const KINDS = ["phone", "primary"] as const;

export function Recoveries() {
  const path = { site_id: site.value?.site_id ?? "" };
  const asked = useAsked("GET /v1/staff/sites/{site_id}/recoveries", { path });
  const [isNew, setNew] = useState(false);
  const [approving, setApproving] = useState("");
  const { isBusy, problem, act } = useActing(asked.reload);
  const approve = async (recovery_id: string, paper: Paper): Promise<void> => {
    await act(() => ask("POST /v1/staff/sites/{site_id}/recoveries/{recovery_id}/approve", { path: { ...path, recovery_id }, body: paper }));
    setApproving("");
  };
  const withdraw = (recovery_id: string): Promise<boolean> => act(() => ask("POST /v1/staff/sites/{site_id}/recoveries/{recovery_id}/withdraw", { path: { ...path, recovery_id } }));
  return (
    <section class="stack">
      <div class="head">
        <h2>{t("care.recoveries")}</h2>
        <Button onClick={() => setNew(!isNew)}>{t("care.new_recovery")}</Button>
      </div>
      <p class="soft">{t("care.recoveries_about")}</p>
      {isNew && <NewRecovery onAsked={async () => { setNew(false); await asked.reload(); }} />}
      {problem && <Problem>{problem}</Problem>}
      {approving && (
        <Sheet title={t("care.approve")} onClose={() => setApproving("")}>
          <WithPaper yes={t("care.approve")} busy={isBusy} onYes={(paper) => void approve(approving, paper)} />
          <Button onClick={() => setApproving("")}>{t("action.cancel")}</Button>
        </Sheet>
      )}
      <Loaded asked={asked} isEmpty={(answer) => answer.recoveries.length === 0} empty={t("care.recoveries_empty")}>
        {(answer) => (
          <Table
            caption={t("care.recoveries")} rows={answer.recoveries} keyOf={(one) => one.recovery_id} testId="recoveries"
            columns={[
              { title: t("families.code"), cell: (one) => one.family_code },
              { title: t("care.kind"), cell: (one) => t(`recovery_kind.${one.kind}` as Key) },
              { title: t("care.by"), cell: (one) => [one.asked_by_name, one.approved_by_name].filter(Boolean).join(", ") },
              { title: t("care.asked_at"), cell: (one) => shortDate(one.asked_at) },
              { title: t("care.state"), cell: (one) => <State one={one} isBusy={isBusy} onApprove={() => setApproving(one.recovery_id)} onWithdraw={() => void withdraw(one.recovery_id)} /> },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function State({ one, isBusy, onApprove, onWithdraw }: { one: RecoveryResponse; isBusy: boolean; onApprove: () => void; onWithdraw: () => void }) {
  const isOpen = one.state === "asked" || one.state === "waiting";
  const isOwn = one.asked_by === me.value?.staff_id;
  return (
    <div class="stack">
      <span>{t(`case_state.${one.state}` as Key)}{one.state === "waiting" && one.due_at && `, ${t("care.takes_effect", { at: dayAndTime(one.due_at) })}`}</span>
      {one.state === "asked" && isOwn && <span class="soft">{t("care.own")}</span>}
      {isOpen && (
        <span class="choices start">
          {one.state === "asked" && !isOwn && <Button kind="act" busy={isBusy} onClick={onApprove}>{t("care.approve")}</Button>}
          <Button busy={isBusy} onClick={onWithdraw}>{t("care.withdraw")}</Button>
        </span>
      )}
    </div>
  );
}

function NewRecovery({ onAsked }: { onAsked: () => Promise<void> }) {
  const [family_code, setFamily] = useState("");
  const [kind, setKind] = useState<(typeof KINDS)[number]>("phone");
  const [phone, setPhone] = useState("");
  const [new_phone, setNewPhone] = useState("");
  const { paper, isWhole, fields } = usePaper();
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    await ask("POST /v1/staff/sites/{site_id}/families/{family_code}/recoveries", { path: { site_id: site.value?.site_id ?? "", family_code: family_code.trim().toUpperCase() }, body: { kind, phone, new_phone, ...paper } });
    await onAsked();
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <Field label={t("care.family")} value={family_code} maxLength={20} onInput={setFamily} />
        <Choice label={t("care.kind")} value={kind} onPick={(value) => setKind(value as (typeof KINDS)[number])} options={KINDS.map((one) => [one, t(`recovery_kind.${one}` as Key)])} />
        <Field label={t("care.phone_now")} type="tel" autoComplete="off" value={phone} maxLength={32} onInput={setPhone} />
        <Field label={t("care.phone_new")} type="tel" autoComplete="off" value={new_phone} maxLength={32} onInput={setNewPhone} />
        {fields}
        {problem && <Problem>{problem}</Problem>}
        <div class="choices start"><Send busy={isBusy} disabled={!family_code || !phone || !new_phone || !isWhole}>{t("care.new_recovery")}</Send></div>
      </Form>
    </section>
  );
}

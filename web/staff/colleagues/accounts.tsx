// The accounts within the caller's scope, and what can be asked for them.
import { useState } from "preact/hooks";
import { ask, Button, Facts, Field, type Key, Loaded, me, Pick, Problem, shortDate, Sheet, t, Table, useActing, useAsked } from "../kit.ts";
import type { AccountResponse } from "../api-types.ts";
import type { Role } from "./new-colleague.tsx";

const ROLES: Role[] = ["coordinator", "staff", "manager", "admin", "factory"];

export function Accounts({ changed, onChanged }: { changed: number; onChanged: () => void }) {
  const asked = useAsked("GET /v1/staff/accounts", {}, [changed]);
  const [chosen, setChosen] = useState<AccountResponse | null>(null);
  return (
    <section class="stack">
      <h2>{t("colleagues.accounts")}</h2>
      {chosen && <One account={chosen} reload={asked.reload} onClose={() => { setChosen(null); onChanged(); }} />}
      <Loaded asked={asked} isEmpty={(answer) => answer.accounts.length === 0}>
        {(answer) => (
          <Table
            caption={t("colleagues.accounts")} rows={answer.accounts} keyOf={(one) => one.staff_id} onOpen={setChosen} testId="accounts"
            columns={[
              { title: t("colleagues.name"), cell: (one) => one.display_name },
              { title: t("colleagues.email"), cell: (one) => one.email },
              { title: t("colleagues.role"), cell: (one) => t(`role.${one.role}` as Key) },
              { title: t("colleagues.state"), cell: (one) => t(one.ended_at ? "colleagues.ended" : one.set_up ? "colleagues.set_up" : "colleagues.not_set_up") },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function One({ account, reload, onClose }: { account: AccountResponse; reload: () => Promise<void>; onClose: () => void }) {
  const [role, setRole] = useState(account.role as Role);
  const [phone, setPhone] = useState("");
  const { isBusy, problem, act } = useActing(reload);
  const path = { staff_id: account.staff_id };
  const then = async (work: () => Promise<unknown>): Promise<void> => {
    if (await act(work)) onClose();
  };
  const isSelf = account.staff_id === me.value?.staff_id;
  return (
    <Sheet title={account.display_name} onClose={onClose}>
      <Facts of={[[t("colleagues.email"), account.email], [t("colleagues.approves_from"), shortDate(account.approves_from)]]} />
      {!account.ended_at && (
        <>
          <Pick label={t("colleagues.role")} value={role} onPick={(value) => setRole(value as Role)} options={ROLES.map((one) => [one, t(`role.${one}` as Key)])} />
          <Button busy={isBusy} disabled={role === account.role} onClick={() => void then(() => ask("POST /v1/staff/accounts/{staff_id}/role", { path, body: { role } }))}>{t("colleagues.change_role")}</Button>
          <p class="soft">{t("colleagues.reset_about")}</p>
          <Field label={t("care.phone_new")} type="tel" autoComplete="off" value={phone} maxLength={32} onInput={setPhone} />
          <Button busy={isBusy} onClick={() => void then(() => ask("POST /v1/staff/accounts/{staff_id}/reset", { path, body: phone ? { phone } : {} }))}>{t("colleagues.reset")}</Button>
          {!isSelf && (
            <>
              <p class="soft">{t("colleagues.end_about")}</p>
              <Button kind="bad" busy={isBusy} onClick={() => void then(() => ask("POST /v1/staff/accounts/{staff_id}/end", { path }))}>{t("colleagues.end")}</Button>
            </>
          )}
        </>
      )}
      {problem && <Problem>{problem}</Problem>}
      <Button onClick={onClose}>{t("action.close")}</Button>
    </Sheet>
  );
}

// Colleagues: who has an account, and what waits for a second person. No password is ever shown to an admin.
import { useState } from "preact/hooks";
import { ask, Button, Head, type Key, Loaded, may, me, Problem, shortDate, t, Table, useActing, useAsked } from "../kit.ts";
import type { AccountRequestResponse } from "../api-types.ts";
import { Accounts } from "./accounts.tsx";
import { NewColleague } from "./new-colleague.tsx";

export function Screen() {
  const [isNew, setNew] = useState(false);
  const [changed, setChanged] = useState(0);
  return (
    <>
      <Head title={t("colleagues.title")}>
        {may("manage accounts") && <Button onClick={() => setNew(!isNew)}>{t("colleagues.new")}</Button>}
      </Head>
      {isNew && <NewColleague onAsked={() => setChanged(changed + 1)} />}
      {may("approve accounts") && <Requests changed={changed} onChanged={() => setChanged(changed + 1)} />}
      {may("manage accounts") && <Accounts changed={changed} onChanged={() => setChanged(changed + 1)} />}
    </>
  );
}

function Requests({ changed, onChanged }: { changed: number; onChanged: () => void }) {
  const asked = useAsked("GET /v1/staff/account-requests", {}, [changed]);
  const { isBusy, problem, act } = useActing(asked.reload);
  const step = async (request_id: string, leaf: "approve" | "withdraw"): Promise<void> => {
    if (await act(() => ask(`POST /v1/staff/account-requests/{request_id}/${leaf}`, { path: { request_id } }))) onChanged();
  };
  return (
    <section class="stack">
      <h2>{t("colleagues.waiting")}</h2>
      {problem && <Problem>{problem}</Problem>}
      <Loaded asked={asked} isEmpty={(answer) => answer.requests.length === 0} empty={t("colleagues.requests_empty")}>
        {(answer) => (
          <Table
            caption={t("colleagues.waiting")} rows={answer.requests} keyOf={(one) => one.request_id} testId="requests"
            columns={[
              { title: t("colleagues.name"), cell: (one) => one.display_name },
              { title: t("colleagues.email"), cell: (one) => one.email },
              { title: t("colleagues.kind"), cell: (one) => `${t(`request_kind.${one.kind}` as Key)} (${t(`role.${one.role}` as Key)})` },
              { title: t("care.by"), cell: (one) => [one.asked_by_name, one.approved_by_name].filter(Boolean).join(", ") },
              { title: t("care.asked_at"), cell: (one) => shortDate(one.asked_at) },
              { title: t("colleagues.state"), cell: (one) => <State one={one} isBusy={isBusy} onStep={(leaf) => void step(one.request_id, leaf)} /> },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function State({ one, isBusy, onStep }: { one: AccountRequestResponse; isBusy: boolean; onStep: (leaf: "approve" | "withdraw") => void }) {
  if (one.state !== "asked") return <span>{t(`case_state.${one.state}` as Key)}</span>;
  const isOwn = one.asked_by === me.value?.staff_id;
  return (
    <div class="stack">
      <span class={isOwn ? "soft" : undefined}>{t(isOwn ? "care.own" : "case_state.asked")}</span>
      <span class="choices start">
        {!isOwn && <Button kind="act" busy={isBusy} onClick={() => onStep("approve")}>{t("care.approve")}</Button>}
        <Button busy={isBusy} onClick={() => onStep("withdraw")}>{t("care.withdraw")}</Button>
      </span>
    </div>
  );
}

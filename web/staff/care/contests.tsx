// Contested rights: one colleague decides with the paper, another approves, 48 hours later it takes effect.
import { useState } from "preact/hooks";
import { ask, Button, Choice, dayAndTime, has, type Key, Loaded, me, Problem, Sheet, shortDate, site, t, Table, useActing, useAsked } from "../kit.ts";
import type { ContestAtSite } from "../api-types.ts";
import { type Paper, WithPaper } from "./paper.tsx";

export function Contests() {
  const path = { site_id: site.value?.site_id ?? "" };
  const asked = useAsked("GET /v1/staff/sites/{site_id}/contests", { path });
  const [chosen, setChosen] = useState<ContestAtSite | null>(null);
  const [upholds, setUpholds] = useState("dismiss");
  const { isBusy, problem, act } = useActing(asked.reload);
  const send = async (contest: ContestAtSite, paper: Paper): Promise<void> => {
    const at = { ...path, contest_id: contest.contest_id };
    await act(() => contest.decision
      ? ask("POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision/approve", { path: at, body: paper })
      : ask("POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision", { path: at, body: { upholds: upholds === "uphold", ...paper } }));
    setChosen(null);
  };
  const withdraw = (contest_id: string): Promise<boolean> => act(() => ask("POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision/withdraw", { path: { ...path, contest_id } }));
  return (
    <section class="stack">
      <h2>{t("care.contests")}</h2>
      <p class="soft">{t("care.contests_about")}</p>
      {problem && <Problem>{problem}</Problem>}
      {chosen && (
        <Sheet title={`${t(chosen.decision ? "care.approve" : "care.decide")}: ${chosen.family_code}`} onClose={() => setChosen(null)}>
          {chosen.decision
            ? <p>{t(chosen.decision.upholds ? "care.uphold" : "care.dismiss")}</p>
            : <Choice label={t("care.decide")} value={upholds} onPick={setUpholds} options={[["dismiss", t("care.dismiss")], ["uphold", t("care.uphold")]]} />}
          <WithPaper yes={t(chosen.decision ? "care.approve" : "care.decide")} busy={isBusy} onYes={(paper) => void send(chosen, paper)} />
          <Button onClick={() => setChosen(null)}>{t("action.cancel")}</Button>
        </Sheet>
      )}
      <Loaded asked={asked} isEmpty={(answer) => answer.contests.length === 0} empty={t("care.contests_empty")}>
        {(answer) => (
          <Table
            caption={t("care.contests")} rows={answer.contests} keyOf={(one) => one.contest_id} testId="contests"
            columns={[
              { title: t("families.code"), cell: (one) => one.family_code },
              { title: t("care.what"), cell: (one) => t("care.contest_who", { raiser: relation(one.raised_by_relation), about: relation(one.about_relation) }) },
              { title: t("care.right"), cell: (one) => t(`contested.${one.right}` as Key) },
              { title: t("care.asked_at"), cell: (one) => shortDate(one.raised_at) },
              { title: t("care.state"), cell: (one) => <State one={one} isBusy={isBusy} onChoose={() => setChosen(one)} onWithdraw={() => void withdraw(one.contest_id)} /> },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function relation(word: string): string {
  const key = `relation.${word}`;
  return has(key) ? t(key as Key) : word;
}

function State({ one, isBusy, onChoose, onWithdraw }: { one: ContestAtSite; isBusy: boolean; onChoose: () => void; onWithdraw: () => void }) {
  const { decision } = one;
  if (!decision || decision.state === "withdrawn" || decision.state === "failed") return <Button busy={isBusy} onClick={onChoose}>{t("care.decide")}</Button>;
  const isOwn = decision.asked_by === me.value?.staff_id;
  return (
    <div class="stack">
      <span>{[t(decision.upholds ? "care.uphold" : "care.dismiss"), t(`case_state.${decision.state}` as Key), decision.asked_by_name, decision.approved_by_name].filter(Boolean).join(", ")}</span>
      {decision.due_at && decision.state === "waiting" && <span>{t("care.takes_effect", { at: dayAndTime(decision.due_at) })}</span>}
      {decision.state === "asked" && isOwn && <span class="soft">{t("care.own")}</span>}
      <span class="choices start">
        {decision.state === "asked" && !isOwn && <Button kind="act" busy={isBusy} onClick={onChoose}>{t("care.approve")}</Button>}
        <Button busy={isBusy} onClick={onWithdraw}>{t("care.withdraw")}</Button>
      </span>
    </div>
  );
}

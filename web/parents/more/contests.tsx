// A right that somebody contests: everybody of the family sees it, and the office decides.
import { useState } from "preact/hooks";
import type { ContestResponse, GuardianResponse } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { guardianId } from "../../shared/session.ts";
import { Button, Sheet } from "../../shared/ui/parts.tsx";
import { dateName, t } from "../../shared/words.ts";

type Right = ContestResponse["right"];
type Change = (work: () => Promise<unknown>) => Promise<boolean>;
const RIGHTS: Right[] = ["message", "locate", "manage"];

/** The button beside another guardian, and the question which right is meant. */
export function Contest({ family_id, about, change }: { family_id: string; about: GuardianResponse; change: Change }) {
  const [isOpen, setOpen] = useState(false);
  const name = about.display_name || t("person.somebody");
  const contest = (right: Right): void => {
    const body = { guardian_id: about.guardian_id, right };
    void change(() => ask("POST /v1/families/{family_id}/contests", { path: { family_id }, body })).then(() => setOpen(false));
  };
  return (
    <>
      <Button kind="quiet" testId="contest" onClick={() => setOpen(true)}>{t("contest.title")}</Button>
      {isOpen && (
        <Sheet title={t("contest.about", { name })} onClose={() => setOpen(false)}>
          <p>{t("contest.how")}</p>
          {RIGHTS.filter((right) => about[`may_${right}`]).map((right) => (
            <Button key={right} onClick={() => contest(right)}>{t(`right.may_${right}`)}</Button>
          ))}
          <Button kind="quiet" onClick={() => setOpen(false)}>{t("action.close")}</Button>
        </Sheet>
      )}
    </>
  );
}

export function Contests({ family_id, contests, guardians, change }: { family_id: string; contests: ContestResponse[]; guardians: GuardianResponse[]; change: Change }) {
  const nameOf = (id: string): string => guardians.find((one) => one.guardian_id === id)?.display_name || t("person.somebody");
  return (
    <>
      {contests.map((one) => (
        <section class="card stack" key={one.contest_id} data-testid="contested">
          <h2>{t("contest.is", { who: nameOf(one.raised_by), name: nameOf(one.about_id) })}</h2>
          <p>{t(`right.may_${one.right}`)}<small>{t(`contest.${one.state}`)} · {dateName(one.ended_at ?? one.raised_at)}</small></p>
          {one.state === "open" && one.raised_by === guardianId() && (
            <Button kind="quiet" onClick={() => void change(() => ask("DELETE /v1/families/{family_id}/contests/{contest_id}", { path: { family_id, contest_id: one.contest_id } }))}>{t("consent.take_back")}</Button>
          )}
        </section>
      ))}
    </>
  );
}

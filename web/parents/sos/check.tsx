// A quarter of an hour after "I take care": is the child all right? A no calls everybody again.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { AlertResponse, HomeChild } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { Button, Problem, Sheet } from "../../shared/ui/parts.tsx";
import { clockTime, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { familyOf, home, reload } from "../home/state.ts";

const later = signal<ReadonlySet<string>>(new Set());

/** The question over every screen; "later" leaves it on the first screen. */
export function Check() {
  for (const child of home.value?.children ?? []) {
    const alert = child.checks?.find((one) => !later.value.has(one.alert_id));
    if (!alert) continue;
    const close = (): void => { later.value = new Set([...later.value, alert.alert_id]); };
    return (
      <Sheet key={alert.alert_id} title={t("check.title", { name: child.child.name })} onClose={close}>
        <CheckQuestion child={child} alert={alert} />
        <Button kind="quiet" onClick={close}>{t("action.later")}</Button>
      </Sheet>
    );
  }
  return null;
}

export function CheckQuestion({ child, alert }: { child: HomeChild; alert: AlertResponse }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const at = clockTime(alert.happened_at ?? alert.raised_at, familyOf(child)?.timezone);
  const say = async (all_right: boolean): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const path = { child_id: child.child.child_id, alert_id: alert.alert_id };
      await ask("POST /v1/children/{child_id}/alerts/{alert_id}/all-right", { path, body: { all_right } });
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  return (
    <>
      <p>{t("check.about", { name: child.child.name, at })}</p>
      {problem && <Problem>{problem}</Problem>}
      <Button kind="act" icon="good" busy={isBusy} testId="all-right" onClick={() => void say(true)}>{t("check.yes", { name: child.child.name })}</Button>
      <Button kind="bad" icon="bell" busy={isBusy} onClick={() => void say(false)}>{t("check.no")}</Button>
    </>
  );
}

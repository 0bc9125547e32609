// Opening a hand-out: how many families, and for how long. It can be kept open for longer later.
import { useState } from "preact/hooks";
import type { HandOutResponse } from "../api-types.ts";
import { ask, Button, Choice, Field, Form, Head, Problem, Send, site, t, useBusy } from "../kit.ts";

const MOST_FAMILIES = 200;
const MINUTES = [60, 90, 120];

export function Opening({ onOpen, onPaper }: { onOpen: (open: HandOutResponse) => void; onPaper: () => void }) {
  const [families, setFamilies] = useState("50");
  const [minutes, setMinutes] = useState("120");
  const { isBusy, problem, run } = useBusy();
  const n = Number(families);
  const isRight = Number.isInteger(n) && n >= 1 && n <= MOST_FAMILIES;
  const open = (): Promise<void> =>
    run(async () => {
      const path = { site_id: site.value?.site_id ?? "" };
      onOpen(await ask("POST /v1/staff/sites/{site_id}/hand-outs", { path, body: { families: n, minutes: Number(minutes) } }));
    });
  return (
    <>
      <Head title={t("handout.title")} />
      <p>{t("handout.none_open")}</p>
      <Form onSend={() => void open()}>
        <Field label={t("handout.how_many")} value={families} onInput={setFamilies} inputMode="numeric" error={isRight ? undefined : t("handout.how_many_wrong", { most: MOST_FAMILIES })} />
        <Choice label={t("handout.how_long")} value={minutes} onPick={setMinutes} options={MINUTES.map((one) => [String(one), t("handout.minutes", { n: one })] as const)} />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!isRight}>{t("handout.open")}</Send>
      </Form>
      <Button kind="quiet" icon="paper" onClick={onPaper}>{t("handout.paper")}</Button>
    </>
  );
}

// A cohort: notices that are sent and were sent before, and the prompts that its parents read.
import { useState } from "preact/hooks";
import { ask, dayAndTime, Empty, Form, Loaded, Pick, Problem, Send, site, t, Table, TextArea, useAsked, useBusy } from "../kit.ts";
import { Prompts } from "./prompts.tsx";

export function Notices() {
  const cohorts = useAsked("GET /v1/staff/sites/{site_id}/cohorts", { path: { site_id: site.value?.site_id ?? "" } });
  const [chosen, setChosen] = useState("");
  return (
    <section class="stack">
      <h2>{t("care.notices")}</h2>
      <p class="soft">{t("care.notices_about")}</p>
      <Loaded asked={cohorts}>
        {(answer) => {
          const cohort_id = chosen || answer.cohorts[0]?.cohort_id;
          if (!cohort_id) return <Empty>{t("care.no_cohort")}</Empty>;
          return (
            <>
              <Pick label={t("care.cohort")} value={cohort_id} onPick={setChosen} options={answer.cohorts.map((one) => [one.cohort_id, one.name] as const)} />
              <OfCohort key={cohort_id} cohort_id={cohort_id} />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function OfCohort({ cohort_id }: { cohort_id: string }) {
  const path = { site_id: site.value?.site_id ?? "", cohort_id };
  const asked = useAsked("GET /v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices", { path });
  const [text, setText] = useState("");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    await ask("POST /v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices", { path, body: { text } });
    setText("");
    setTold(t("care.sent"));
    await asked.reload();
  });
  return (
    <>
      <Form onSend={() => void send()}>
        <TextArea label={t("care.text")} value={text} maxLength={500} onInput={(value) => { setText(value); setTold(""); }} />
        {problem && <Problem>{problem}</Problem>}
        <p class="good" role="status">{told}</p>
        <div class="choices start"><Send busy={isBusy} disabled={!text.trim()}>{t("care.send")}</Send></div>
      </Form>
      <Loaded asked={asked} isEmpty={(answer) => answer.notices.length === 0} empty={t("care.no_notice")}>
        {(answer) => (
          <Table
            caption={t("care.notices")} rows={answer.notices} keyOf={(one) => one.notice_id} testId="notices"
            columns={[
              { title: t("care.sent_at"), cell: (one) => dayAndTime(one.created_at) },
              { title: t("care.text"), cell: (one) => one.text },
            ]}
          />
        )}
      </Loaded>
      <Prompts cohort_id={cohort_id} />
    </>
  );
}

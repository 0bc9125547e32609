// Public numbers into DHIS2: checked there as a whole, then stored. The worker sends them; the summaries stay readable.
import { useState } from "preact/hooks";
import { ask, Button, dayAndTime, has, type Key, Loaded, locale, me, Pick, Problem, saveFile, sentenceOf, site, t, Table, TextArea, useAsked, useBusy, useEvery } from "../kit.ts";
import type { Dhis2ImportResponse } from "../api-types.ts";
import { emptyIds, type IdRow, readIds } from "./ids.ts";

const EVERY_MS = 2000;

export function Dhis2() {
  const asked = useAsked("GET /v1/staff/dhis2-imports", { query: { limit: 50 } });
  const isWaiting = asked.answer?.imports.some((one) => one.state === "waiting" || one.state === "running") ?? false;
  useEvery(EVERY_MS, async () => { if (isWaiting) await asked.reload(); }, [isWaiting]);
  return (
    <section class="stack" data-testid="dhis2">
      <h2>{t("sending.title")}</h2>
      <p class="soft">{t("sending.about")}</p>
      <New onAsked={asked.reload} />
      <Loaded asked={asked} isEmpty={(answer) => answer.imports.length === 0} empty={t("sending.empty")}>
        {(answer) => (
          <Table
            caption={t("sending.title")} rows={answer.imports} keyOf={(one) => one.import_id} testId="dhis2-imports"
            columns={[
              { title: t("files.asked"), cell: (one) => dayAndTime(one.asked_at) },
              { title: t("files.kind"), cell: (one) => t(one.check_only ? "sending.check" : "sending.send") },
              { title: t("sending.values"), cell: (one) => one.values, isNumber: true },
              { title: t("files.state"), cell: (one) => <State one={one} /> },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

function State({ one }: { one: Dhis2ImportResponse }) {
  const key = `sending_problem.${one.problem}`;
  const conflicts = (one.imported ?? one.checked)?.conflicts ?? [];
  return (
    <div class="stack">
      <span>{t(`sending_state.${one.state}` as Key)}</span>
      {(one.state === "running" || one.state === "waiting") && <progress max={100} value={one.percent} aria-label={t(`sending_state.${one.state}` as Key)} />}
      {one.problem && <span>{has(key) ? t(key as Key) : one.sentence}</span>}
      {one.tried_again_at && <span class="soft">{t("sending.again_at", { at: dayAndTime(one.tried_again_at) })}</span>}
      {!!one.left_out.suppressed && <span class="soft">{t("sending.left_out", { n: one.left_out.suppressed })}</span>}
      {conflicts.length > 0 && <ul>{conflicts.map((conflict, at) => <li key={at}><code>{conflict.object}</code> {conflict.problem}</li>)}</ul>}
    </div>
  );
}

function New({ onAsked }: { onAsked: () => Promise<void> }) {
  const site_id = site.value?.site_id ?? "";
  const programmes = (me.value?.scopes ?? []).filter((scope) => scope.programme_id && scope.programme === site.value?.programme);
  const [of, setOf] = useState("");
  const [text, setText] = useState("");
  const { isBusy, problem, run } = useBusy();
  const { faults, ...ids } = readIds(text);
  const hasIds = faults.length === 0 && Object.keys(ids.data_elements).length > 0 && Object.keys(ids.org_units).length > 0;
  const send = (check_only: boolean): Promise<void> => run(async () => {
    await ask("POST /v1/staff/dhis2-imports", { body: { ...ids, check_only, ...(of ? { programme_id: of } : { site_id }) } });
    await onAsked();
  });
  return (
    <div class="card stack">
      {programmes.length > 0 && <Pick label={t("sending.of")} value={of} onPick={setOf} options={[["", t("usage.whole_site")], ...programmes.map((one) => [one.programme_id ?? "", t("usage.whole_programme")] as const)]} />}
      <TextArea label={t("sending.ids")} hint={t("sending.ids_hint")} error={faults.length > 0 ? t("sending.ids_wrong", { lines: faults.slice(0, 10).join(", ") }) : undefined} value={text} onInput={setText} rows={6} />
      {problem && <Problem>{problem}</Problem>}
      <div class="choices start">
        <Template />
        <Button testId="dhis2-check" busy={isBusy} disabled={!hasIds} onClick={() => void send(true)}>{t("sending.check")}</Button>
        <Button testId="dhis2-send" kind="act" busy={isBusy} disabled={!hasIds} onClick={() => void send(false)}>{t("sending.send")}</Button>
      </div>
    </div>
  );
}

/** A table with our codes: its last column is filled in once and kept by the office, since nothing is kept here. */
function Template() {
  const [problem, setProblem] = useState("");
  const save = async (): Promise<void> => {
    try {
      const { indicators } = await ask("GET /v1/staff/indicators");
      const { sites } = await ask("GET /v1/staff/sites");
      const here = sites.filter((one) => one.programme === site.value?.programme);
      const cohorts = await Promise.all(here.map(async (one) => (await ask("GET /v1/staff/sites/{site_id}/cohorts", { path: { site_id: one.site_id } })).cohorts.map((cohort) => ({ kind: "place", code: cohort.cohort_id, name: `${one.name} / ${cohort.name}` }) as IdRow)));
      const rows: IdRow[] = [
        ...indicators.map((one): IdRow => ({ kind: "indicator", code: one.code, name: one.words[locale.value]?.name ?? one.code })),
        ...[...new Map(here.map((one) => [one.programme_id, one.programme]))].map(([code, name]): IdRow => ({ kind: "place", code, name })),
        ...here.map((one): IdRow => ({ kind: "place", code: one.site_id, name: one.name })),
        ...cohorts.flat(),
      ];
      // The mark lets spreadsheets read the letters of every language.
      saveFile(new Blob(["\ufeff", emptyIds(rows)], { type: "text/csv" }), "dhis2-ids.csv");
      setProblem("");
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <>
      <Button icon="paper" testId="dhis2-template" onClick={() => void save()}>{t("sending.template")}</Button>
      {problem && <Problem>{problem}</Problem>}
    </>
  );
}

// How the watches are used: published numbers of groups, never one family's.
import { useMemo, useState } from "preact/hooks";
import { ask, Empty, Head, type Key, Loaded, locale, may, me, Pick, site, Switch, t, Table, useAsked, ago } from "../kit.ts";
import type { IndicatorsResponse, UsageResponse } from "../api-types.ts";
import { Chart } from "./chart.tsx";
import { seriesOf } from "./series.ts";
import { useRead } from "./read.ts";

/** Every published week of a site, a cohort or the programme. */
async function readWeeks(site_id: string, of: string): Promise<UsageResponse> {
  let whole: UsageResponse | null = null;
  let first_week: string | undefined;
  do {
    const query = { limit: 52, ...(first_week ? { first_week } : {}) };
    const programme_id = of.startsWith("programme/") ? of.slice(10) : "";
    const page: UsageResponse = programme_id
      ? await ask("GET /v1/staff/programmes/{programme_id}/usage", { path: { programme_id }, query })
      : await ask("GET /v1/staff/sites/{site_id}/usage", { path: { site_id }, query: { ...query, ...(of ? { cohort_id: of } : {}) } });
    whole = whole ? { ...page, weeks: [...whole.weeks, ...page.weeks] } : page;
    first_week = page.next ?? undefined;
  } while (first_week);
  return whole;
}

export function Screen() {
  const [of, setOf] = useState("");
  const [asFactory, setAsFactory] = useState(false);
  const site_id = site.value?.site_id ?? "";
  const indicators = useAsked("GET /v1/staff/indicators", {});
  const weeks = useRead(() => readWeeks(site_id, asFactory ? "" : of), [site_id, of, asFactory]);
  const isStaff = may("see structure");
  return (
    <>
      <Head title={t("usage.title")} />
      {indicators.answer && <p class="soft">{indicators.answer.reading[locale.value]} {indicators.answer.unit[locale.value]}</p>}
      {isStaff && (
        <div class="filters">
          {!asFactory && <Groups of={of} onPick={setOf} />}
          <Switch label={t("usage.as_factory")} hint={t("usage.as_factory_about")} on={asFactory} onChange={setAsFactory} />
        </div>
      )}
      <Loaded asked={weeks}>{(usage) => indicators.answer && <Charts usage={usage} indicators={indicators.answer} isWhole={!asFactory && of.startsWith("programme/")} />}</Loaded>
      {!asFactory && may("see devices") && <Devices />}
      {!asFactory && may("support families") && <Silent />}
    </>
  );
}

function Groups({ of, onPick }: { of: string; onPick: (of: string) => void }) {
  const { answer } = useAsked("GET /v1/staff/sites/{site_id}/cohorts", { path: { site_id: site.value?.site_id ?? "" } });
  const programmes = (me.value?.scopes ?? []).filter((scope) => scope.programme_id && scope.programme === site.value?.programme);
  return (
    <Pick
      label={t("usage.of")} value={of} onPick={onPick} testId="usage-of"
      options={[
        ["", t("usage.whole_site")],
        ...(answer?.cohorts ?? []).map((one) => [one.cohort_id, one.name] as const),
        ...programmes.map((one) => [`programme/${one.programme_id}`, t("usage.whole_programme")] as const),
      ]}
    />
  );
}

function Charts({ usage, indicators, isWhole }: { usage: UsageResponse; indicators: IndicatorsResponse; isWhole: boolean }) {
  const chosen = indicators.indicators.filter((one) => isWhole || !one.of_the_whole);
  const series = useMemo(() => new Map(chosen.map((one) => [one.code, seriesOf(one.code, usage.weeks)])), [usage, indicators, isWhole]);
  if (usage.weeks.length === 0) return <Empty>{t("usage.empty")}</Empty>;
  return (
    <div class="charts" data-testid="charts">
      {chosen.map((one) => <Chart key={one.code} indicator={one} points={series.get(one.code) ?? []} />)}
    </div>
  );
}

function Devices() {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/device-states", { path: { site_id: site.value?.site_id ?? "" } });
  return (
    <section class="stack">
      <h2>{t("usage.devices")}</h2>
      <Loaded asked={asked} isEmpty={(answer) => Object.keys(answer.states).length === 0}>
        {(answer) => <dl class="facts">{Object.entries(answer.states).map(([state, n]) => <div key={state}><dt>{t(`device_state.${state}` as Key)}</dt><dd>{n}</dd></div>)}</dl>}
      </Loaded>
    </section>
  );
}

function Silent() {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/silent-families", { path: { site_id: site.value?.site_id ?? "" }, query: { limit: 200 } });
  return (
    <section class="stack">
      <h2>{t("usage.silent")}</h2>
      <p class="soft">{t("usage.silent_about")}</p>
      <Loaded asked={asked} isEmpty={(answer) => answer.families.length === 0}>
        {(answer) => (
          <Table
            caption={t("usage.silent")} rows={answer.families} keyOf={(one) => `${one.family_code} ${one.serial}`}
            columns={[
              { title: t("watches.family"), cell: (one) => one.family_code },
              { title: t("watches.serial"), cell: (one) => one.serial },
              { title: t("watches.seen"), cell: (one) => (one.last_seen_at ? ago(one.last_seen_at) : "") },
              { title: t("watches.battery"), cell: (one) => (one.battery_pct === null ? "" : `${one.battery_pct} %`), isNumber: true },
            ]}
          />
        )}
      </Loaded>
    </section>
  );
}

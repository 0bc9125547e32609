// Watches of the site by serial: where they are, and papers to print.
import { useState } from "preact/hooks";
import { about, ago, ask, Button, Field, Head, type Key, Loaded, locale, may, Pager, PAGE_ROWS, Pick, Problem, saveFile, site, t, Table, useAsked, useBusy, usePages } from "../kit.ts";
import { OneWatch } from "./one-watch.tsx";

const STATES = ["registered", "handed_out", "lost", "returned", "broken"] as const;
type State = (typeof STATES)[number];

export function Screen() {
  const [begins, setBegins] = useState("");
  const [state, setState] = useState<State | "">("");
  const [serial, setSerial] = useState(about.value);
  const pages = usePages<string>();
  const asked = useAsked("GET /v1/staff/sites/{site_id}/watches", {
    path: { site_id: site.value?.site_id ?? "" },
    query: { limit: PAGE_ROWS, query: begins.replace(/[^A-Za-z0-9]/g, ""), ...(state ? { state } : {}), ...(pages.after ? { after: pages.after } : {}) },
  });
  if (serial) return <OneWatch serial={serial} onOpen={setSerial} onClose={() => { setSerial(""); void asked.reload(); }} />;
  return (
    <>
      <Head title={t("watches.title")}>{may("hand out") && <Papers />}</Head>
      <div class="filters">
        <Field label={t("watches.begins")} value={begins} maxLength={20} onInput={(value) => { pages.first(); setBegins(value); }} />
        <Pick label={t("watches.state")} value={state} onPick={(value) => { pages.first(); setState(value as State | ""); }} options={[["", t("watches.all")], ...STATES.map((one) => [one, t(`watch_state.${one}` as Key)] as const)]} />
      </div>
      <Loaded asked={asked} isEmpty={(answer) => answer.watches.length === 0}>
        {(answer) => (
          <>
            <Table
              caption={t("watches.title")} rows={answer.watches} keyOf={(one) => one.serial} onOpen={(one) => setSerial(one.serial)} testId="watches"
              columns={[
                { title: t("watches.serial"), cell: (one) => one.serial },
                { title: t("watches.state"), cell: (one) => t(one.paired ? "watch_state.paired" : (`watch_state.${one.state}` as Key)) },
                ...(may("support families") ? [{ title: t("watches.family"), cell: (one: { family_code: string | null }) => one.family_code ?? "" }] : []),
                { title: t("watches.presence"), cell: (one) => (one.presence ? t(`presence.${one.presence}` as Key) : "") },
                { title: t("watches.seen"), cell: (one) => (one.last_seen_at ? ago(one.last_seen_at) : "") },
                { title: t("watches.battery"), cell: (one) => (one.battery_pct === null ? "" : `${one.battery_pct} %`), isNumber: true },
                { title: t("watches.firmware"), cell: (one) => one.firmware ?? "" },
              ]}
            />
            <Pager pages={pages} next={answer.next} />
          </>
        )}
      </Loaded>
    </>
  );
}

/** Papers are saved, not opened: a document of ours never runs at this address. */
function Papers() {
  const { isBusy, problem, run } = useBusy();
  const path = { site_id: site.value?.site_id ?? "" };
  const labels = (): Promise<void> => run(async () => saveFile((await ask("GET /v1/staff/sites/{site_id}/watch-labels", { path, timeoutMs: 60_000 })) as unknown as Blob, "labels.pdf"));
  const leaflet = (): Promise<void> => run(async () => saveFile((await ask("GET /v1/staff/sites/{site_id}/leaflet", { path, query: { locale: locale.value } })) as unknown as Blob, "leaflet.pdf"));
  const list = (): Promise<void> => run(async () => saveFile((await ask("GET /v1/staff/sites/{site_id}/hand-out-list", { path })) as unknown as Blob, "hand-out.pdf"));
  return (
    <div class="choices">
      <Button icon="paper" busy={isBusy} onClick={() => void labels()}>{t("watches.labels")}</Button>
      <Button icon="paper" busy={isBusy} onClick={() => void leaflet()}>{t("watches.leaflet")}</Button>
      <Button icon="paper" busy={isBusy} onClick={() => void list()}>{t("watches.list")}</Button>
      {problem && <Problem>{problem}</Problem>}
    </div>
  );
}

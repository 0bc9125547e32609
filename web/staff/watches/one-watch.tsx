// One watch: its state, its families so far, and what happens to it.
import { useState } from "preact/hooks";
import { about, ago, ask, Button, Choice, Confirm, Facts, Field, go, Head, type Key, Loaded, may, Problem, shortDate, site, t, useAsked, useBusy } from "../kit.ts";
import type { WatchDetailsResponse } from "../api-types.ts";
import { History } from "./history.tsx";
import { Trace } from "./trace.tsx";

type End = "returned" | "lost" | "broken";

/** What may happen to a watch in its state; who gets a replacement may keep the state that was recorded before. */
const ENDS: Record<string, readonly End[]> = {
  registered: ["lost", "broken"], returned: ["lost", "broken"], handed_out: ["returned", "lost", "broken"],
  lost: ["lost", "returned", "broken"], broken: ["broken", "returned", "lost"],
};
const BACK: Record<string, Key> = { lost: "watch_event.found", broken: "watch_event.repaired" };

export function OneWatch({ serial, onOpen, onClose }: { serial: string; onOpen: (serial: string) => void; onClose: () => void }) {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/watches/{serial}", { path: { site_id: site.value?.site_id ?? "", serial } });
  return (
    <>
      <Head title={`${t("families.watch")} ${serial}`}>
        <Button icon="back" onClick={() => { about.value = ""; onClose(); }}>{t("action.back")}</Button>
      </Head>
      <Loaded asked={asked}>{(watch) => <Details watch={watch} reload={asked.reload} onOpen={onOpen} />}</Loaded>
    </>
  );
}

function Details({ watch, reload, onOpen }: { watch: WatchDetailsResponse; reload: () => Promise<void>; onOpen: (serial: string) => void }) {
  const family = watch.family_code;
  return (
    <>
      <Facts of={[
        [t("watches.state"), t(watch.paired ? "watch_state.paired" : (`watch_state.${watch.state}` as Key))],
        ...(family ? [[t("watches.family"), <button type="button" class="small" onClick={() => go("families", family)}>{family}</button>] as const] : []),
        [t("watches.presence"), watch.presence && t(`presence.${watch.presence}` as Key)],
        [t("watches.seen"), watch.last_seen_at && ago(watch.last_seen_at)],
        [t("watches.battery"), watch.battery_pct === null ? null : `${watch.battery_pct} %`],
        [t("watches.model"), watch.model],
        [t("watches.firmware"), watch.firmware],
        [t("watches.refused"), watch.refused_packets],
        [t("watches.registered"), shortDate(watch.registered_at)],
        [t("watches.sim_ends"), watch.sim_expires_on && shortDate(watch.sim_expires_on)],
      ]} />
      <History watch={watch} onOpen={onOpen} />
      {may("hand out") && <Withdraw watch={watch} reload={reload} onOpen={onOpen} />}
      {may("support families") && <Trace key={watch.serial} serial={watch.serial} />}
    </>
  );
}

function Withdraw({ watch, reload, onOpen }: { watch: WatchDetailsResponse; reload: () => Promise<void>; onOpen: (serial: string) => void }) {
  const { isBusy, problem, run } = useBusy();
  const [isAsking, setAsking] = useState(false);
  const ends = ENDS[watch.state] ?? [];
  const [picked, setPicked] = useState("");
  const state = ends.find((one) => one === picked) ?? ends[0] ?? "lost";
  const nameOf = (end: End): string => t(end === "returned" ? (BACK[watch.state] ?? "watch_event.returned") : `watch_event.${end}`);
  const [replacement, setReplacement] = useState("");
  const [told, setTold] = useState("");
  const send = (): Promise<void> => run(async () => {
    const path = { site_id: site.value?.site_id ?? "" };
    const next = replacement.trim();
    const { changed } = next
      ? await ask("POST /v1/staff/sites/{site_id}/watch-replacements", { path, body: { scan: watch.serial, state, replacement: next } })
      : await ask("POST /v1/staff/sites/{site_id}/watch-withdrawals", { path, body: { scan: watch.serial, state } });
    setAsking(false);
    setPicked("");
    setReplacement("");
    setTold(t(changed ? "watches.recorded" : "watches.recorded_before"));
    if (next) onOpen(next.toUpperCase());
    else await reload();
  });
  return (
    <div class="stack">
      <div class="choices start"><Button onClick={() => setAsking(true)}>{t("watches.withdraw")}</Button></div>
      <p class="good" role="status">{told}</p>
      {isAsking && (
        <Confirm title={`${t("watches.withdraw")}: ${watch.serial}`} yes={t("watches.record")} busy={isBusy} onYes={() => void send()} onNo={() => setAsking(false)}>
          <Choice label={t("watches.new_state")} value={state} onPick={setPicked} options={ends.map((one) => [one, nameOf(one)])} />
          {watch.state === "handed_out" && <p class="soft">{t("watches.withdraw_about")}</p>}
          {ends.length === 3 && <Field label={t("watches.replacement")} hint={t("watches.replacement_hint")} value={replacement} onInput={setReplacement} maxLength={260} />}
          {problem && <Problem>{problem}</Problem>}
        </Confirm>
      )}
    </div>
  );
}

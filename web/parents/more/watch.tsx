// What the watch does by itself: quiet hours, volume, and whether it tells its place.
import { useState } from "preact/hooks";
import type { ChangeWatchSettingsRequest, HomeChild, QuietTime } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { Banner, Button, Field, Problem, Skeleton, Switch, Top } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { reload } from "../home/state.ts";
import { useRead } from "../read.ts";

const WEEK = [1, 2, 3, 4, 5, 6, 7];

export function WatchSettings({ child }: { child: HomeChild }) {
  const path = { child_id: child.child.child_id };
  const { value, problem, change } = useRead(() => ask("GET /v1/children/{child_id}/watch-settings", { path }), [path.child_id]);
  const [starts, setStarts] = useState("08:00");
  const [ends, setEnds] = useState("12:00");
  const isOnTheWay = !!value && value.acked_version !== null && value.version > value.acked_version;
  const set = (body: ChangeWatchSettingsRequest): void => {
    void change(() => ask("PATCH /v1/children/{child_id}/watch-settings", { path, body })).then(reload);
  };
  const disabled = !child.may_manage;
  const without = (gone: QuietTime): QuietTime[] => (value?.quiet ?? []).filter((one) => one !== gone);
  return (
    <main class="screen">
      <Top title={t("watch.settings")} />
      {isOnTheWay && <Banner icon="way">{t("watch.change_on_way")}</Banner>}
      {problem && <Problem>{problem}</Problem>}
      {!value && !problem && <Skeleton />}
      {disabled && <p class="soft">{t("right.manage_missing")}</p>}
      {value && (
        <>
          <Switch label={t("watch.tells_place")} hint={t("watch.tells_place_hint")} on={value.location} disabled={disabled} onChange={(location) => set({ location })} />
          <div class="field">
            <label for="volume">{t("watch.volume", { n: value.volume_pct })}</label>
            <input id="volume" type="range" min={0} max={100} step={10} value={value.volume_pct} disabled={disabled} onChange={(event) => set({ volume_pct: Number(event.currentTarget.value) })} />
          </div>
          <h2>{t("quiet.title")}</h2>
          <p class="soft">{t("quiet.about")}</p>
          <ul class="rows">
            {value.quiet.map((one) => (
              <li class="row" key={`${one.starts}${one.ends}${one.days.join("")}`}>
                <span>{one.starts}–{one.ends}<small>{one.days.length === 7 ? t("quiet.every_day") : one.days.map((day) => t(`day.${day}` as "day.1")).join(", ")}</small></span>
                {!disabled && <Button kind="quiet" onClick={() => set({ quiet: without(one) })}>{t("action.remove")}</Button>}
              </li>
            ))}
          </ul>
          {!disabled && (
            <div class="card stack">
              <Field label={t("quiet.from")} type="time" value={starts} onInput={setStarts} />
              <Field label={t("quiet.to")} type="time" value={ends} onInput={setEnds} />
              <Button onClick={() => set({ quiet: [...value.quiet, { days: WEEK.slice(0, 5), starts, ends }] })}>{t("quiet.add_school")}</Button>
              <Button onClick={() => set({ quiet: [...value.quiet, { days: WEEK, starts, ends }] })}>{t("quiet.add_every")}</Button>
            </div>
          )}
        </>
      )}
    </main>
  );
}

// Safe places: one is made around where the child is now, drawn on the sketch while its size is chosen.
import { useState } from "preact/hooks";
import type { Place, ZoneResponse } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { Button, Field, Form, Problem, Send } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import type { Circle } from "./sketch.tsx";

const SMALLEST_M = 50;
const LARGEST_M = 500;
const STEP_M = 50;
const FIRST_M = 150;

type ZonesProps = { child_id: string; center: Place; zones: ZoneResponse[]; onPlan: (circle: Circle | null) => void; onChange: () => Promise<void> };

export function Zones({ child_id, center, zones, onPlan, onChange }: ZonesProps) {
  const [name, setName] = useState<string | null>(null);
  const [radius_m, setRadius] = useState(FIRST_M);
  const [problem, setProblem] = useState("");
  const plan = (called: string | null, wide = radius_m): void => {
    setName(called);
    setRadius(wide);
    onPlan(called === null ? null : { lat: center.lat, lon: center.lon, radius_m: wide, name: called });
  };
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setProblem("");
    try {
      await work();
      plan(null);
      await onChange();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const add = (): Promise<void> => {
    const shape = { kind: "circle" as const, lat: center.lat, lon: center.lon, radius_m };
    return run(() => ask("POST /v1/children/{child_id}/zones", { path: { child_id }, body: { name: (name ?? "").trim(), shape } }));
  };
  const remove = (one: ZoneResponse): Promise<void> =>
    run(() => ask("DELETE /v1/children/{child_id}/zones/{zone_id}", { path: { child_id, zone_id: one.zone_id } }));
  return (
    <section class="card stack">
      <h2>{t("zones.title")}</h2>
      {problem && <Problem>{problem}</Problem>}
      <ul class="rows">
        {zones.map((one) => (
          <li class="row" key={one.zone_id}>
            <span>{one.name}</span>
            <Button kind="quiet" onClick={() => void remove(one)}>{t("action.remove")}</Button>
          </li>
        ))}
      </ul>
      {name === null ? (
        <Button icon="place" testId="new-zone" onClick={() => plan("")}>{t("zones.here")}</Button>
      ) : (
        <Form onSend={() => void add()}>
          <Field label={t("zones.name")} hint={t("zones.name_hint")} value={name} onInput={(value) => plan(value)} autoComplete="off" maxLength={40} />
          <div class="field">
            <label for="zone-size">{t("zones.size", { n: radius_m })}</label>
            <input id="zone-size" type="range" min={SMALLEST_M} max={LARGEST_M} step={STEP_M} value={radius_m} onInput={(event) => plan(name, Number(event.currentTarget.value))} />
          </div>
          <p class="soft">{t("zones.about")}</p>
          <Send disabled={!name.trim()}>{t("zones.add")}</Send>
          <Button onClick={() => plan(null)}>{t("action.close")}</Button>
        </Form>
      )}
    </section>
  );
}

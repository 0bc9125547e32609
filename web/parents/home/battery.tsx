// The watch's battery is low: the child is far away, and somebody at home can charge it.
import type { HomeChild } from "../../shared/api-types.ts";
import { ask, Refused, Unreachable } from "../../shared/api.ts";
import { Button } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { t } from "../../shared/words.ts";
import { useCallable } from "../people.ts";
import { reload } from "./state.ts";

const MOST_PEOPLE = 2;

export function LowBattery({ child }: { child: HomeChild }) {
  const alert = child.alerts.find((one) => one.kind === "low_battery");
  const { child_id, name, watch } = child.child;
  const people = useCallable(child_id, !!alert).slice(0, MOST_PEOPLE);
  if (!alert || !watch) return null;
  const settle = async (): Promise<void> => {
    try {
      await ask("POST /v1/children/{child_id}/alerts/{alert_id}/acknowledge", { path: { child_id, alert_id: alert.alert_id } });
      await reload();
    } catch (error) {
      // The card stays, and can be settled later.
      if (!(error instanceof Refused) && !(error instanceof Unreachable)) throw error;
    }
  };
  const words = encodeURIComponent(t("battery.please", { name }));
  return (
    <div class="inset stack" data-testid="battery">
      <p><b>{watch.battery_pct === null ? t("battery.low") : t("battery.low_pct", { n: watch.battery_pct })}</b> {t("battery.about")}</p>
      {people.map((one) => (
        <div class="choices" key={one.contact_id}>
          <a class="button" href={`tel:${one.number}`}><Icon name="phone" /><span>{t("sos.call", { name: one.name })}</span></a>
          <a class="button" href={`sms:${one.number}?body=${words}`}><Icon name="pen" /><span>{t("battery.write", { name: one.name })}</span></a>
        </div>
      ))}
      {people.length === 0 && <p class="soft">{t("battery.nobody")}</p>}
      <Button kind="quiet" onClick={() => void settle()}>{t("battery.settled")}</Button>
    </div>
  );
}

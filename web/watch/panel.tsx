// Beside the watch: the switches of its surroundings, in words what it shows, and the training.
import { Button, Switch } from "../shared/ui/parts.tsx";
import { Icon } from "../shared/ui/icon.tsx";
import { t } from "../shared/words.ts";
import { press, type State } from "./desk.ts";

const LOW_PCT = 15;

/** The states of the watch as sentences, for those who see the screen from afar or not at all. */
export function Status({ seen }: { seen: State }) {
  return (
    <p class="status" role="status" data-testid="status">
      {sentences(seen).map((one) => <span key={one}>{one}</span>)}
    </p>
  );
}

function sentences(seen: State): string[] {
  const { watch } = seen;
  if (!watch) return [t("state.flat")];
  return [
    watch.paired ? t("state.paired", { name: watch.child_name ?? "" }) : seen.code ? t("state.code") : t("state.unpaired"),
    ...(watch.paired ? [watch.online ? t("state.online") : seen.code ? t("state.away") : t("state.offline")] : []),
    ...(watch.locked ? [t("state.locked")] : []),
    ...(watch.quiet ? [t("state.quiet")] : []),
    ...(seen.battery_pct < LOW_PCT ? [t("state.low")] : []),
    ...(watch.waiting > 0 ? [t("state.waiting", { n: watch.waiting })] : []),
  ];
}

export function Switches({ seen }: { seen: State }) {
  return (
    <section class="card stack" aria-labelledby="switches">
      <h2 id="switches">{t("panel.title")}</h2>
      <Switch label={t("panel.network")} on={seen.network} onChange={(on) => void press({ do: "network", on })} />
      <div class="field">
        <label for="battery">{t("panel.battery", { n: seen.battery_pct })}</label>
        <input
          id="battery" type="range" min="0" max="100" step="5" value={seen.battery_pct} data-testid="battery"
          aria-describedby="battery-about" onChange={(event) => void press({ do: "battery", pct: Number(event.currentTarget.value) })}
        />
        <small id="battery-about">{t("panel.battery_about")}</small>
      </div>
      <div class="field beside">
        <label for="codec">{t("panel.codec")}</label>
        <select id="codec" value={seen.codec} onChange={(event) => void press({ do: "codec", codec: event.currentTarget.value })}>
          <option value="amr-nb">AMR-NB</option>
          <option value="opus">Opus</option>
        </select>
      </div>
    </section>
  );
}

export function Training({ seen }: { seen: State }) {
  const { training } = seen;
  return (
    <section class="card stack training" aria-labelledby="training">
      <h2 id="training">{t("train.title")}</h2>
      {!training && (
        <>
          <p>{t("train.about")}</p>
          <Button kind="act" testId="train" onClick={() => void press({ do: "train" })}>{t("train.begin")}</Button>
        </>
      )}
      {training && (
        <>
          <div role="status" class="stack" data-testid="step">
            {training.step ? (
              <>
                <p class="soft">{t("train.step", { number: training.number, of: training.of })}</p>
                <p><b>{t(`train.${training.step}`)}</b></p>
                <p class="seen-by"><Icon name="eye" /><span><span class="soft">{t("train.staff")}</span> {t(`train_staff.${training.step}`)}</span></p>
              </>
            ) : (
              <p class="good"><Icon name="good" /> {t("train.done")}</p>
            )}
          </div>
          <progress max={training.of} value={training.step ? training.number - 1 : training.of} aria-label={t("train.title")} />
          <div class="ends">
            {training.step && <button type="button" class="small" data-testid="skip" onClick={() => void press({ do: "train_skip" })}>{t("train.skip")}</button>}
            <button type="button" class="small" onClick={() => void press({ do: "train_end" })}>{t("train.end")}</button>
          </div>
        </>
      )}
    </section>
  );
}

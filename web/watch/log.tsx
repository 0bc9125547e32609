// Every message between the watch and the broker, newest first, with what answered it.
import { useState } from "preact/hooks";
import { Switch } from "../shared/ui/parts.tsx";
import { secondTime, t } from "../shared/words.ts";
import { entries, type Entry } from "./desk.ts";

const SHOWN = 120;
// Every uplink carries its times; in one line they would hide what differs.
const TIMES = /"(tst|boot|mono_s)": \d+(, )?/g;
const ARROWS = { up: "↑", down: "↓", line: "·" } as const;

export function WireLog() {
  const [held, setHeld] = useState<Map<number, Entry> | null>(null);
  const shown = held ?? entries.value;
  const newest = [...shown.values()].sort((a, b) => b.number - a.number).slice(0, SHOWN);
  return (
    <section class="card wire" aria-labelledby="wire">
      <div class="wire-head">
        <h2 id="wire">{t("wire.title")}</h2>
        <Switch label={t("wire.pause")} on={held !== null} onChange={(on) => setHeld(on ? new Map(entries.value) : null)} />
      </div>
      <p class="soft">{t("wire.about")}</p>
      {newest.length === 0 && <p class="empty">{t("wire.empty")}</p>}
      <ol class="entries" data-testid="wire" tabIndex={0} aria-label={t("wire.title")}>
        {newest.map((one) => <li key={one.number}>{one.direction === "line" ? <Note entry={one} /> : <Frame entry={one} all={shown} />}</li>)}
      </ol>
    </section>
  );
}

function Note({ entry }: { entry: Entry }) {
  return <p class="note-line"><time>{secondTime(entry.at_ms)}</time> {entry.frame}</p>;
}

function Frame({ entry, all }: { entry: Entry; all: Map<number, Entry> }) {
  const other = entry.answered_by ?? entry.answers;
  const answer = other === null ? undefined : all.get(other);
  const isFaulty = entry.lost || entry.fault !== null;
  return (
    <details class={`frame ${entry.direction} ${isFaulty ? "faulty-frame" : ""}`}>
      <summary data-testid="frame">
        <span class="way" aria-label={t(`wire.${entry.direction as "up" | "down"}`)} role="img">{ARROWS[entry.direction]}</span>
        <span class="number">{`#${entry.number}`}</span>
        <code>{entry.level}</code>
        <span class="soft">{t("wire.bytes", { n: entry.size_bytes })}</span>
        {answer && <span class="soft">{entry.answered_by === other ? `← #${other}` : `→ #${other}`}</span>}
        <time class="soft">{secondTime(entry.at_ms)}</time>
        {entry.frame && <code class="peek">{entry.direction === "up" ? entry.frame.replace(TIMES, "") : entry.frame}</code>}
      </summary>
      <div class="inside">
        <p><code>{entry.topic}</code></p>
        {entry.lost && <p class="problem">{t("wire.lost")}</p>}
        {entry.fault !== null && <p class="problem">{t("wire.fault", { why: entry.fault })}</p>}
        <pre tabIndex={0} role="group" aria-label={t("wire.frame")}>{pretty(entry.frame) || t("wire.sound")}</pre>
        {answer && (
          <p>
            {entry.answered_by === other
              ? t("wire.answered", { number: `#${other}`, ms: entry.answer_ms ?? 0 })
              : t("wire.answers", { number: `#${other}` })}{" "}
            <code>{`${answer.level} ${answer.frame}`}</code>
          </p>
        )}
      </div>
    </details>
  );
}

function pretty(frame: string): string {
  try {
    return JSON.stringify(JSON.parse(frame), null, 1);
  } catch {
    return frame;
  }
}

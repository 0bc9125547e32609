// Talking to somebody: hold and let go, or tap and tap again. At most a minute, as on the watch.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../shared/ui/icon.tsx";
import { lengthOf, t } from "../shared/words.ts";
import { press, type Sent, sendSound, type State, type Watch } from "./desk.ts";
import { useHolding } from "./holding.ts";
import { begin, elapsedMs, end, problem, recording } from "./microphone.ts";
import { stop } from "./sound.ts";

const TAP_MS = 500;
const SHORTEST_MS = 700;

interface Asked {
  to: string;
  name: string;
  emoji: State["emoji"];
  watch: Watch;
  onBack: () => void;
}

export function Talk({ to, name, emoji, watch, onBack }: Asked) {
  const [note, setNote] = useState("");
  useEffect(() => () => void end(), []);

  async function send(): Promise<void> {
    const made = await end();
    if (!made) return;
    if (made.duration_ms < SHORTEST_MS) setNote(t("screen.too_short"));
    else if (!(await sendSound(to, made.sound))) setNote(t("screen.not_recorded"));
  }
  function start(): void {
    stop();
    setNote("");
    void begin(() => void send());
  }
  const [isFree, setFree] = useState(false);
  const holding = useHolding({
    onDown: () => {
      if (isFree) return;
      start();
    },
    onUp: (ms) => {
      // A tap frees the hands; the next one ends the recording.
      if (!isFree && ms < TAP_MS) return setFree(true);
      setFree(false);
      void send();
    },
    onTap: () => {
      setFree(!isFree);
      if (isFree) void send();
      else start();
    },
  });
  const isOn = recording.value === "yes";
  const sent = watch.sent.find((one) => one.to === to);
  const label = isOn ? (isFree ? t("screen.tap_to_send") : t("screen.let_go")) : t("screen.hold_to_talk");
  return (
    <div class="talking">
      <div class="back">
        <button type="button" class="step" aria-label={t("screen.back")} onClick={onBack}><Icon name="back" /></button>
        <h2>{name}</h2>
      </div>
      <button type="button" class={`mouth ${isOn ? "on" : ""}`} data-testid="talk" aria-label={`${label} (${name})`} {...holding}>
        <Icon name="mic" />
        <span>{isOn ? lengthOf(elapsedMs.value) : recording.value === "opening" ? t("screen.opening") : ""}</span>
      </button>
      <p class="hint" role="status" data-testid="talk-note">{problem.value ? t(`screen.mic_${problem.value}`) : note || (isOn ? label : sent ? stateOf(sent) : label)}</p>
      <div class="glyphs" role="group" aria-label={t("screen.emoji")}>
        {emoji.map((one) => (
          <button type="button" key={one.word} onClick={() => void press({ do: "emoji", to, word: one.word })}>{one.glyph}</button>
        ))}
      </div>
    </div>
  );
}

/** What became of a message, as a sentence. */
function stateOf(sent: Sent): string {
  if (sent.states.some((one) => one.state === "played")) return t("screen.heard");
  return t(`screen.sent_${sent.state}`);
}

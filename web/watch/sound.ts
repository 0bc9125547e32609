// What the watch's loudspeaker does: a message is played, a new one rings.
import { signal } from "@preact/signals";
import { press, soundOf } from "./desk.ts";

/** The ref of the message that is playing. */
export const playing = signal<string | null>(null);

const NEW_TONES = [880, 1320];
const RING_TONES = [990, 660, 990, 660, 990, 660];
const TONE_S = 0.18;

let player: HTMLAudioElement | null = null;
let tones: AudioContext | null = null;

/** Plays a voice message; its sender is told once it sounds. A second call stops it. */
export async function play(ref: string): Promise<void> {
  const wasThis = playing.value === ref;
  stop();
  if (wasThis) return;
  const sound = await soundOf(ref);
  if (!sound) return;
  const address = URL.createObjectURL(sound);
  player = new Audio(address);
  playing.value = ref;
  player.onended = stop;
  try {
    await player.play();
    await press({ do: "open", ref });
  } catch {
    stop();
  }
}

export function stop(): void {
  if (player) {
    player.pause();
    URL.revokeObjectURL(player.src);
  }
  player = null;
  playing.value = null;
}

/** A browser lets a page sound after the first touch only; before that the watch is silent. */
export function ring(kind: "new" | "ring"): void {
  try {
    tones ??= new AudioContext();
    if (tones.state === "suspended") void tones.resume().catch(() => undefined);
    const { currentTime, destination } = tones;
    (kind === "new" ? NEW_TONES : RING_TONES).forEach((pitch, at) => {
      if (!tones) return;
      const tone = new OscillatorNode(tones, { frequency: pitch });
      tone.connect(new GainNode(tones, { gain: 0.12 })).connect(destination);
      tone.start(currentTime + at * TONE_S);
      tone.stop(currentTime + (at + 1) * TONE_S);
    });
  } catch {
    // No loudspeaker: the screen shows the message all the same.
  }
}

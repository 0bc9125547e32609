// Rings until it is told to stop. A phone that nobody has touched yet stays silent; it rings from the first touch on.
const EVERY_MS = 1_600;

export function ring(): () => void {
  let context: AudioContext | null = null;
  try {
    context = new AudioContext();
  } catch {
    return () => undefined;
  }
  const sound = context;
  const beep = (): void => {
    navigator.vibrate?.([300, 150, 300]);
    if (sound.state !== "running") {
      void sound.resume().catch(() => undefined);
      return;
    }
    for (const [at, pitch] of [[0, 880], [0.25, 660], [0.5, 880]] as const) {
      const tone = sound.createOscillator();
      const loudness = sound.createGain();
      loudness.gain.setValueAtTime(0.5, sound.currentTime + at);
      loudness.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + 0.22);
      tone.frequency.value = pitch;
      tone.connect(loudness).connect(sound.destination);
      tone.start(sound.currentTime + at);
      tone.stop(sound.currentTime + at + 0.23);
    }
  };
  beep();
  const timer = setInterval(beep, EVERY_MS);
  return () => {
    clearInterval(timer);
    void sound.close().catch(() => undefined);
  };
}

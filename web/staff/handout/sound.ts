// Yes and no can be heard across a hall: two rising tones, or a low one. Made here, so that no file is fetched.

let context: AudioContext | null = null;

export function sound(isYes: boolean): void {
  try {
    context ??= new AudioContext();
    void context.resume();
    const tones = isYes ? [660, 990] : [150, 150, 150];
    tones.forEach((hertz, at) => tone(hertz, at * 0.14, isYes ? 0.12 : 0.13, isYes ? "sine" : "square"));
  } catch {
    // A computer without sound: colour and word say it as well.
  }
}

function tone(hertz: number, afterS: number, lengthS: number, type: OscillatorType): void {
  if (!context) return;
  const source = context.createOscillator();
  const level = context.createGain();
  const at = context.currentTime + afterS;
  source.type = type;
  source.frequency.value = hertz;
  level.gain.setValueAtTime(0.2, at);
  level.gain.linearRampToValueAtTime(0, at + lengthS);
  source.connect(level).connect(context.destination);
  source.start(at);
  source.stop(at + lengthS);
}

// The computer's microphone as the watch's: at most a minute, in whatever form this browser records.
import { signal } from "@preact/signals";

export const LONGEST_MS = 60_000;
const FORMS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

export const recording = signal<"no" | "opening" | "yes">("no");
export const elapsedMs = signal(0);
export const problem = signal<"denied" | "none" | null>(null);

let recorder: MediaRecorder | null = null;
let wanted = 0;

/** Opens the microphone and records until `end`, or until the minute is over: then `onFull` is called. */
export async function begin(onFull: () => void): Promise<void> {
  const own = ++wanted;
  recording.value = "opening";
  elapsedMs.value = 0;
  problem.value = null;
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    problem.value = name === "NotAllowedError" || name === "SecurityError" ? "denied" : "none";
    recording.value = "no";
    return;
  }
  if (own !== wanted) return close(stream);
  const form = FORMS.find((one) => MediaRecorder.isTypeSupported(one));
  const made = new MediaRecorder(stream, form ? { mimeType: form } : {});
  recorder = made;
  made.start();
  recording.value = "yes";
  const startedAt = performance.now();
  const timer = setInterval(() => {
    elapsedMs.value = performance.now() - startedAt;
    if (elapsedMs.value >= LONGEST_MS) {
      clearInterval(timer);
      onFull();
    }
  }, 100);
  made.addEventListener("stop", () => {
    clearInterval(timer);
    close(stream);
  });
}

/** Ends the recording and returns it with its length; null when the microphone had not opened. */
export async function end(): Promise<{ sound: Blob; duration_ms: number } | null> {
  wanted += 1;
  const made = recorder;
  recorder = null;
  recording.value = "no";
  if (!made || made.state === "inactive") return null;
  const pieces: Blob[] = [];
  made.addEventListener("dataavailable", (event) => pieces.push(event.data));
  await new Promise<void>((resolve) => {
    made.addEventListener("stop", () => resolve());
    made.stop();
  });
  return { sound: new Blob(pieces, { type: made.mimeType }), duration_ms: elapsedMs.value };
}

function close(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

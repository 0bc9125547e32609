// The microphone: a recording is written to the phone each second, so that a crash costs one.
import { signal } from "@preact/signals";
import { keepScreenOn, keepStored, newKey, vibrate } from "../../shared/guards.ts";
import { database, type DraftPart, partsOf } from "../../shared/store.ts";
import { chosenForm } from "./form.ts";

export const LONGEST_MS = 60_000;
export const WARN_AT_MS = 50_000;
const PIECE_MS = 1_000;
const BITS_PER_S = 24_000;
const BUZZ_MS = 15;

export interface Recording {
  draft: string;
  child_id: string;
  sound: ArrayBuffer;
  type: string;
  duration_ms: number;
  made_at: string;
}

export type RecorderState = "idle" | "opening" | "recording";
export const recorderState = signal<RecorderState>("idle");
export const elapsedMs = signal(0);
/** 0 to 1, of the last piece. */
export const level = signal(0);
/** denied, none (no microphone), old (the browser cannot record) */
export const micProblem = signal<"denied" | "none" | "old" | null>(null);

export function canRecord(): boolean {
  return "MediaRecorder" in globalThis && !!navigator.mediaDevices?.getUserMedia;
}

let current: Session | null = null;

/** Opens the microphone and begins; returns whether it did. `onStop` is called when it ends by itself. */
export async function begin(child_id: string, onStop: () => void): Promise<boolean> {
  if (current) return false;
  if (!canRecord()) {
    micProblem.value = "old";
    return false;
  }
  recorderState.value = "opening";
  elapsedMs.value = 0;
  const session = new Session(child_id, onStop);
  current = session;
  try {
    await session.open();
    micProblem.value = null;
    return true;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name !== "AbortError") micProblem.value = name === "NotAllowedError" || name === "SecurityError" ? "denied" : "none";
    session.close();
    if (current === session) current = null;
    recorderState.value = "idle";
    return false;
  }
}

/** Ends the recording and returns it; null when nothing was recorded. */
export async function end(): Promise<Recording | null> {
  const session = current;
  if (!session) return null;
  const made = await session.finish();
  if (current === session) {
    current = null;
    recorderState.value = "idle";
    level.value = 0;
  }
  return made;
}

export async function dropDraft(draft: string): Promise<void> {
  await (await database()).delete("drafts", partsOf(draft));
}

/** What a crash or a call left behind: the newest unfinished recording of a child. */
export async function leftDraft(child_id: string): Promise<Recording | null> {
  if (current) return null;
  const parts = (await (await database()).getAll("drafts")).filter((one) => one.child_id === child_id);
  const newest = parts.map((one) => one.made_at).sort().pop();
  const found = parts.filter((one) => one.made_at === newest).sort((a, b) => a.part - b.part);
  const first = found[0];
  return first ? joined(found, first, found.length * PIECE_MS) : null;
}

function joined(parts: DraftPart[], first: DraftPart, duration_ms: number): Recording {
  const bytes = new Uint8Array(parts.reduce((sum, one) => sum + one.bytes.byteLength, 0));
  let at = 0;
  for (const one of parts) {
    bytes.set(new Uint8Array(one.bytes), at);
    at += one.bytes.byteLength;
  }
  return { draft: first.draft, child_id: first.child_id, sound: bytes.buffer, type: first.type, duration_ms, made_at: first.made_at };
}

class Session {
  private readonly draft = newKey();
  private readonly made_at = new Date().toISOString();
  private readonly parts: DraftPart[] = [];
  private writing: Promise<unknown> = Promise.resolve();
  private stream: MediaStream | null = null;
  private recorder: MediaRecorder | null = null;
  private startedAt = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private lightOff: () => void = () => undefined;
  private meter: AudioContext | null = null;
  private isClosed = false;

  constructor(
    private readonly child_id: string,
    private readonly onStop: () => void,
  ) {}

  async open(): Promise<void> {
    this.stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    if (this.isClosed) throw new DOMException("let go before the microphone opened", "AbortError");
    const type = chosenForm();
    const recorder = new MediaRecorder(this.stream, { ...(type ? { mimeType: type } : {}), audioBitsPerSecond: BITS_PER_S });
    this.recorder = recorder;
    recorder.ondataavailable = (event) => this.take(event.data);
    for (const track of this.stream.getAudioTracks()) track.onended = () => this.interrupt();
    document.addEventListener("visibilitychange", this.onHidden);
    await new Promise<void>((resolve, reject) => {
      recorder.onstart = () => resolve();
      recorder.onerror = () => reject(new DOMException("the recorder failed", "NotReadableError"));
      recorder.start(PIECE_MS);
    });
    this.startedAt = performance.now();
    recorderState.value = "recording";
    vibrate(BUZZ_MS);
    this.measure(this.stream);
    this.timer = setInterval(() => this.tick(), 100);
    this.lightOff = await keepScreenOn();
    if (this.isClosed) this.lightOff();
    void keepStored();
  }

  async finish(): Promise<Recording | null> {
    const duration_ms = this.startedAt ? Math.min(performance.now() - this.startedAt, LONGEST_MS) : 0;
    const recorder = this.recorder;
    if (recorder && recorder.state !== "inactive") {
      await new Promise<void>((resolve) => {
        recorder.onstop = () => resolve();
        recorder.stop();
      });
    }
    this.close();
    await this.writing;
    const first = this.parts[0];
    return first ? joined(this.parts, first, duration_ms) : null;
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
    this.lightOff();
    void this.meter?.close().catch(() => undefined);
    this.meter = null;
    document.removeEventListener("visibilitychange", this.onHidden);
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
  }

  private take(data: Blob): void {
    if (data.size === 0) return;
    this.writing = this.writing.then(async () => {
      const part: DraftPart = {
        draft: this.draft, part: this.parts.length, child_id: this.child_id, made_at: this.made_at,
        type: (data.type || this.recorder?.mimeType) ?? "audio/webm", bytes: await data.arrayBuffer(),
      };
      this.parts.push(part);
      await (await database()).put("drafts", part);
    });
  }

  private tick(): void {
    elapsedMs.value = performance.now() - this.startedAt;
    if (elapsedMs.value >= LONGEST_MS) this.interrupt();
  }

  private readonly onHidden = (): void => {
    if (document.visibilityState === "hidden") this.interrupt();
  };

  /** A call, a locked screen, the time is up: what was said stays as a draft. */
  private interrupt(): void {
    if (this.isClosed) return;
    this.onStop();
  }

  private measure(stream: MediaStream): void {
    try {
      this.meter = new AudioContext();
      const analyser = this.meter.createAnalyser();
      analyser.fftSize = 512;
      this.meter.createMediaStreamSource(stream).connect(analyser);
      const values = new Uint8Array(analyser.fftSize);
      const read = (): void => {
        if (this.isClosed) return;
        analyser.getByteTimeDomainData(values);
        level.value = values.reduce((most, one) => Math.max(most, Math.abs(one - 128) / 128), 0);
        requestAnimationFrame(read);
      };
      read();
    } catch {
      // A level that is not shown; the recording itself goes on.
    }
  }
}

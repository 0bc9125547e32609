// Labels by the camera: read by the browser itself where it can, else by a decoder that is fetched now.
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Problem, t } from "../kit.ts";

interface Detector {
  detect(source: HTMLVideoElement): Promise<Array<{ rawValue: string }>>;
}
type Detectors = { BarcodeDetector?: new (options: { formats: string[] }) => Detector };

const LOOK_EVERY_MS = 200;
// The same label stays before the camera for a while.
const SAME_AGAIN_MS = 3000;

export function hasCamera(): boolean {
  return !!navigator.mediaDevices?.getUserMedia;
}

async function newDetector(): Promise<Detector> {
  const own = (globalThis as unknown as Detectors).BarcodeDetector;
  if (own) return new own({ formats: ["qr_code", "code_128"] });
  return new (await import("./decoder.ts")).Decoder();
}

export function Camera({ onRead, onClose }: { onRead: (text: string) => void; onClose: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [isRefused, setRefused] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stream: MediaStream | null = null;
    let hasEnded = false;
    let last = { text: "", at: 0 };
    const stop = (): void => stream?.getTracks().forEach((track) => track.stop());
    const look = async (detector: Detector): Promise<void> => {
      const found = video.current && video.current.readyState >= 2 ? await detector.detect(video.current).catch(() => []) : [];
      if (hasEnded) return;
      const text = found[0]?.rawValue ?? "";
      if (text && (text !== last.text || Date.now() - last.at > SAME_AGAIN_MS)) onRead(text);
      if (text) last = { text, at: Date.now() };
      timer = setTimeout(() => void look(detector), LOOK_EVERY_MS);
    };
    const open = async (): Promise<void> => {
      const detector = newDetector();
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (hasEnded || !video.current) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      await look(await detector);
    };
    open().catch(() => setRefused(true));
    return () => {
      hasEnded = true;
      clearTimeout(timer);
      stop();
    };
  }, []);
  return (
    <div class="camera">
      {isRefused ? <Problem>{t("handout.camera_refused")}</Problem> : <video ref={video} muted playsInline aria-label={t("handout.camera")} />}
      <Button onClick={onClose}>{t("handout.camera_close")}</Button>
    </div>
  );
}

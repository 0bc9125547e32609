// Reads a text aloud: the operator's recording, else a voice of the phone itself, marked as such, else there is no button.
// A voice that is not local would send the text elsewhere.
import { useEffect, useRef, useState } from "preact/hooks";
import { readBuilt } from "../../shared/http.ts";
import { Button } from "../../shared/ui/parts.tsx";
import { locale, t } from "../../shared/words.ts";

export function ReadAloud({ text, recording }: { text: string; recording: string | null }) {
  const [file, setFile] = useState<string | null>(null);
  const [isKnown, setKnown] = useState(recording === null);
  useEffect(() => {
    if (recording === null) return;
    readBuilt("/web/spoken.json").then(
      (names) => { setFile((names as string[]).find((one) => one.startsWith(recording)) ?? null); setKnown(true); },
      () => setKnown(true),
    );
  }, [recording]);
  if (!isKnown) return null;
  return file ? <Recorded file={file} /> : <OwnVoice text={text} />;
}

function Recorded({ file }: { file: string }) {
  const sound = useRef<HTMLAudioElement | null>(null);
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => () => sound.current?.pause(), []);
  const toggle = (): void => {
    sound.current ??= new Audio(`/web/spoken/${encodeURIComponent(file)}`);
    const one = sound.current;
    one.onended = () => setPlaying(false);
    if (isPlaying) one.pause();
    else one.play().catch(() => setPlaying(false));
    setPlaying(!isPlaying);
  };
  return <Button icon={isPlaying ? "pause" : "heard"} testId="read-aloud" onClick={toggle}>{isPlaying ? t("action.stop") : t("consent.read_aloud")}</Button>;
}

function localVoice(): SpeechSynthesisVoice | undefined {
  const language = locale.value.split("-")[0] ?? "en";
  return globalThis.speechSynthesis?.getVoices().find((one) => one.localService && one.lang.toLowerCase().startsWith(language));
}

function OwnVoice({ text }: { text: string }) {
  const [voice, setVoice] = useState(localVoice());
  const [isSpeaking, setSpeaking] = useState(false);
  useEffect(() => {
    const read = (): void => setVoice(localVoice());
    globalThis.speechSynthesis?.addEventListener?.("voiceschanged", read);
    return () => {
      globalThis.speechSynthesis?.removeEventListener?.("voiceschanged", read);
      globalThis.speechSynthesis?.cancel();
    };
  }, []);
  if (!voice) return null;
  const toggle = (): void => {
    if (isSpeaking) {
      speechSynthesis.cancel();
      setSpeaking(false);
      return;
    }
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.voice = voice;
    spoken.lang = voice.lang;
    spoken.onend = () => setSpeaking(false);
    speechSynthesis.speak(spoken);
    setSpeaking(true);
  };
  return (
    <>
      <Button icon={isSpeaking ? "pause" : "heard"} testId="read-aloud" onClick={toggle}>{isSpeaking ? t("action.stop") : t("consent.read_aloud")}</Button>
      <p class="soft">{t("consent.machine_voice")}</p>
    </>
  );
}

// Agree before anything: the text, a part at a time, read aloud where the phone can.
import { useEffect, useState } from "preact/hooks";
import type { ConsentText, MyFamily, MyInvitation } from "../../shared/api-types.ts";
import { ask, askOpenly } from "../../shared/api.ts";
import { logOut } from "../../shared/session.ts";
import { Button, Problem, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { locale, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { reload } from "../home/state.ts";

export type Part = ConsentText["part"];

export function useConsentText(part: Part): [ConsentText | null, string] {
  const [text, setText] = useState<ConsentText | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    askOpenly("GET /v1/consent-texts", { query: { locale: locale.value } })
      .then((found) => setText(found.texts.find((one) => one.part === part) ?? null))
      .catch((error: unknown) => setProblem(sentenceOf(error)));
  }, [part, locale.value]);
  return [text, problem];
}

/** A voice of the phone itself in this language; none is better than one that sends the text elsewhere. */
function ownVoice(): SpeechSynthesisVoice | undefined {
  const language = locale.value.split("-")[0] ?? "en";
  return globalThis.speechSynthesis?.getVoices().find((one) => one.localService && one.lang.toLowerCase().startsWith(language));
}

export function ConsentPaper({ text }: { text: ConsentText }) {
  const [voice, setVoice] = useState(ownVoice());
  const [isSpeaking, setSpeaking] = useState(false);
  useEffect(() => {
    const read = (): void => setVoice(ownVoice());
    globalThis.speechSynthesis?.addEventListener?.("voiceschanged", read);
    return () => {
      globalThis.speechSynthesis?.removeEventListener?.("voiceschanged", read);
      globalThis.speechSynthesis?.cancel();
    };
  }, []);
  const speak = (): void => {
    if (isSpeaking || !voice) {
      speechSynthesis.cancel();
      setSpeaking(false);
      return;
    }
    const spoken = new SpeechSynthesisUtterance(text.text);
    spoken.voice = voice;
    spoken.lang = voice.lang;
    spoken.onend = () => setSpeaking(false);
    speechSynthesis.speak(spoken);
    setSpeaking(true);
  };
  const [title, ...parts] = text.text.split("\n\n");
  return (
    <div class="paper" lang={text.locale}>
      <h2>{title}</h2>
      {voice && (
        <Button icon={isSpeaking ? "pause" : "heard"} onClick={speak}>{isSpeaking ? t("action.stop") : t("consent.read_aloud")}</Button>
      )}
      {voice && <p class="soft">{t("consent.machine_voice")}</p>}
      {parts.map((part) => {
        const end = /[.。:：]\s?/.exec(part);
        const cut = end ? end.index + end[0].length : 0;
        return (
          <p key={part}>
            <b>{part.slice(0, cut)}</b>
            {part.slice(cut)}
          </p>
        );
      })}
    </div>
  );
}

/** The first screen of a family, until its messages part is agreed to. */
export function Consent({ family }: { family: MyFamily }) {
  return <Paper part="messages" onAgree={async (text) => {
    const body = { part: "messages" as const, text_version: text.text_version, locale: text.locale };
    await ask("POST /v1/families/{family_id}/consents", { path: { family_id: family.family_id }, body });
  }} />;
}

export function Invited({ invitation }: { invitation: MyInvitation }) {
  const path = { invitation_id: invitation.invitation_id };
  return (
    <Paper
      part="messages"
      about={t("invited.about")}
      onAgree={async (text) => {
        await ask("POST /v1/invitations/{invitation_id}/accept", { path, body: { text_version: text.text_version, locale: text.locale } });
      }}
      onRefuse={async () => {
        await ask("POST /v1/invitations/{invitation_id}/decline", { path });
        await reload();
      }}
    />
  );
}

type PaperProps = { part: Part; about?: string; onAgree: (text: ConsentText) => Promise<void>; onRefuse?: () => Promise<void> };

function Paper({ part, about, onAgree, onRefuse }: PaperProps) {
  const [text, loadProblem] = useConsentText(part);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await work();
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  return (
    <main class="screen">
      <Top title={t("consent.title")} onBack={null} />
      <p>{about ?? t("consent.about")}</p>
      {!text && !loadProblem && <Skeleton lines={8} />}
      {text && <ConsentPaper text={text} />}
      {(problem || loadProblem) && <Problem>{problem || loadProblem}</Problem>}
      <div class="stack">
        <Button kind="act" busy={isBusy} disabled={!text} testId="agree" onClick={() => text && void run(() => onAgree(text))}>{t("consent.agree")}</Button>
        <Button kind="plain" onClick={() => void (onRefuse ? run(onRefuse) : logOut())}>{onRefuse ? t("invited.refuse") : t("consent.not_now")}</Button>
      </div>
    </main>
  );
}

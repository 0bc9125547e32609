// Agree before anything: the text, a part at a time, read aloud where the phone can.
import { useEffect, useState } from "preact/hooks";
import type { ConsentText, MyFamily, MyInvitation, PrivacyNoticeResponse } from "../../shared/api-types.ts";
import { ask, askOpenly, Refused } from "../../shared/api.ts";
import { logOut } from "../../shared/session.ts";
import { Banner, Button, Problem, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { locale, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { reload } from "../home/state.ts";
import { useRead } from "../read.ts";
import { ReadAloud } from "./read-aloud.tsx";

export type Part = ConsentText["part"];

export function useConsentText(part: Part): [ConsentText | null, string] {
  const { value, problem } = useRead(async () => {
    const found = await askOpenly("GET /v1/consent-texts", { query: { locale: locale.value } });
    return found.texts.find((one) => one.part === part) ?? null;
  }, [part, locale.value]);
  return [value, problem];
}

/** A text in paragraphs, the first of which is its title; `subject` names the recording of the operator. */
export function ConsentPaper({ text, subject }: { text: { text: string; locale: string; text_version?: string }; subject?: string }) {
  const [title, ...parts] = text.text.split("\n\n");
  return (
    <div class="paper" lang={text.locale}>
      <h2>{title}</h2>
      <ReadAloud key={`${subject}${text.locale}`} text={text.text} recording={subject ? `${subject}-${text.text_version}-${text.locale}.` : null} />
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
  const path = { family_id: family.family_id };
  return (
    <Paper
      readNotice={() => ask("GET /v1/families/{family_id}/privacy-notice", { path, query: { locale: locale.value } })}
      onAgree={async (text, notice_version) => {
        const body = { part: "messages" as const, text_version: text.text_version, locale: text.locale, notice_version };
        await ask("POST /v1/families/{family_id}/consents", { path, body });
      }}
    />
  );
}

export function Invited({ invitation }: { invitation: MyInvitation }) {
  const path = { invitation_id: invitation.invitation_id };
  return (
    <Paper
      about={t("invited.about")}
      readNotice={() => ask("GET /v1/invitations/{invitation_id}/privacy-notice", { path, query: { locale: locale.value } })}
      onAgree={async (text, notice_version) => {
        const body = { text_version: text.text_version, locale: text.locale, notice_version };
        await ask("POST /v1/invitations/{invitation_id}/accept", { path, body });
      }}
      onRefuse={async () => {
        await ask("POST /v1/invitations/{invitation_id}/decline", { path });
        await reload();
      }}
    />
  );
}

type PaperProps = {
  about?: string;
  readNotice: () => Promise<PrivacyNoticeResponse>;
  onAgree: (text: ConsentText, notice_version: string | null) => Promise<void>;
  onRefuse?: () => Promise<void>;
};

/** Who is responsible, then what is agreed to: one of the two a screen. */
function Paper({ about, readNotice, onAgree, onRefuse }: PaperProps) {
  const [text, loadProblem] = useConsentText("messages");
  const [notice, setNotice] = useState<PrivacyNoticeResponse | null>(null);
  const [step, setStep] = useState<"notice" | "text">("notice");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const load = async (): Promise<void> => {
    setProblem("");
    try {
      setNotice(await readNotice());
    } catch (error) {
      // A family that has left its site has nobody to name: the text alone is asked for.
      if (error instanceof Refused && error.status === 404) setStep("text");
      else setProblem(sentenceOf(error));
    }
  };
  useEffect(() => void load(), [locale.value]);
  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await work();
      await reload();
    } catch (error) {
      if (error instanceof Refused && error.code === "notice_outdated") {
        setStep("notice");
        await load();
      }
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  const isNotice = step === "notice";
  const shown = isNotice ? notice : text;
  const failed = problem || (isNotice ? "" : loadProblem);
  return (
    <main class="screen" key={step}>
      <Top title={t(isNotice ? "notice.title" : "consent.title")} onBack={isNotice ? null : () => setStep("notice")} />
      <p>{isNotice ? about ?? t("notice.about") : t("consent.about")}</p>
      {isNotice && notice?.is_fictional && <Banner icon="paper">{t("notice.fictional")}</Banner>}
      {!shown && !failed && <Skeleton lines={8} />}
      {shown && <ConsentPaper text={shown} subject={isNotice ? undefined : "messages"} />}
      {failed && <Problem>{failed}</Problem>}
      <div class="stack">
        {isNotice ? (
          <Button kind="act" testId="notice-read" disabled={!notice} onClick={() => setStep("text")}>{t("action.next")}</Button>
        ) : (
          <Button kind="act" busy={isBusy} disabled={!text} testId="agree" onClick={() => text && void run(() => onAgree(text, notice?.notice_version ?? null))}>{t("consent.agree")}</Button>
        )}
        {isNotice && failed && <Button onClick={() => void load()}>{t("action.again")}</Button>}
        <Button kind="plain" onClick={() => void (onRefuse ? run(onRefuse) : logOut())}>{onRefuse ? t("invited.refuse") : t("consent.not_now")}</Button>
      </div>
    </main>
  );
}

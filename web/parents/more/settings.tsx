// Everything about the parent: name, language, the family, what is agreed to, phones, the own copy.
import { useState } from "preact/hooks";
import type { MyFamily } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { go } from "../../shared/navigation.ts";
import { logOut } from "../../shared/session.ts";
import { Button, Field, Form, Problem, Row, Send, Sheet, Top } from "../../shared/ui/parts.tsx";
import { clockTime, t } from "../../shared/words.ts";
import { ConsentPaper, type Part, useConsentText } from "../consent/consent.tsx";
import { sentenceOf } from "../door/door.tsx";
import { home, reload } from "../home/state.ts";
import { waiting } from "../talk/queue.ts";
import { Guardians } from "./guardians.tsx";
import { OwnNumber } from "./number.tsx";
import { Phones } from "./phones.tsx";

export function Settings({ part }: { part: "settings" | "phones" | "number" | "consents" | "guardians" }) {
  if (part === "phones") return <Phones />;
  if (part === "number") return <OwnNumber />;
  if (part === "consents") return <Consents />;
  if (part === "guardians") return <Guardians />;
  return <All />;
}

function All() {
  const me = home.value?.me;
  const [isLeaving, setLeaving] = useState(false);
  return (
    <main class="screen">
      <Top title={t("more.title")} />
      <div class="rows">
        <Row icon="family" title={t("guardians.title")} onClick={() => go({ name: "guardians" })} testId="guardians" />
        <Row icon="paper" title={t("consent.all")} onClick={() => go({ name: "consents" })} testId="consents" />
        <Row icon="phone" title={t("phones.title")} onClick={() => go({ name: "phones" })} testId="phones" />
        <Row icon="pen" title={t("number.title")} about={me?.phone} onClick={() => go({ name: "number" })} testId="number" />
        <Row icon="word" title={t("door.language")} onClick={() => go({ name: "language" })} />
      </div>
      <Shift />
      {me && <OwnCopy families={me.families} />}
      <Button kind="quiet" icon="lock" testId="log-out" onClick={() => (waiting.value.length ? setLeaving(true) : void logOut())}>{t("action.log_out")}</Button>
      {isLeaving && (
        <Sheet title={t("action.log_out")} onClose={() => setLeaving(false)}>
          <p>{t("queue.log_out", { n: waiting.value.length })}</p>
          <Button onClick={() => setLeaving(false)}>{t("action.no")}</Button>
          <Button kind="bad" onClick={() => void logOut()}>{t("action.log_out")}</Button>
        </Sheet>
      )}
    </main>
  );
}

const SHIFT_HOURS = [4, 8, 12];

/** On shift until: the watch shows it to the child. */
function Shift() {
  const [problem, setProblem] = useState("");
  const until = home.value?.busy_until ?? null;
  const set = async (busy_until: string | null): Promise<void> => {
    try {
      await ask("PUT /v1/me/availability", { body: { busy_until } });
      await reload();
      setProblem("");
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section class="card stack">
      <h2>{t("shift.title")}</h2>
      <p class="soft">{until ? t("shift.until", { at: clockTime(until) }) : t("shift.about")}</p>
      {problem && <Problem>{problem}</Problem>}
      <div class="choices">
        {until ? (
          <Button onClick={() => void set(null)}>{t("shift.end")}</Button>
        ) : (
          SHIFT_HOURS.map((n) => <Button key={n} onClick={() => void set(new Date(Date.now() + n * 3_600_000).toISOString())}>{t("shift.hours", { n })}</Button>)
        )}
      </div>
    </section>
  );
}

function OwnCopy({ families }: { families: MyFamily[] }) {
  const [said, setSaid] = useState("");
  const family = families[0];
  if (!family) return null;
  const path = { family_id: family.family_id };
  // Places go with those who may see them: whoever takes a copy learns where they are.
  const whoHasPlaces = async (holders: string[]): Promise<string> => {
    if (!holders.length) return "";
    const { guardians } = await ask("GET /v1/families/{family_id}/guardians", { path });
    const names = guardians.filter((one) => holders.includes(one.guardian_id)).map((one) => one.display_name || t(`relation.${one.relation}`));
    return t("copy.places_with", { names: names.join(", ") });
  };
  const open = async (): Promise<void> => {
    try {
      const { exports, places_with, places_offered } = await ask("GET /v1/families/{family_id}/exports", { path });
      const ready = exports.find((one) => one.state === "ready");
      if (ready) {
        const { url } = await ask("POST /v1/families/{family_id}/exports/{export_id}/link", { path: { ...path, export_id: ready.export_id } });
        location.assign(new URL(url).pathname);
        return;
      }
      if (!exports.some((one) => one.state === "waiting" || one.state === "running")) await ask("POST /v1/families/{family_id}/exports", { path });
      setSaid([t("copy.coming"), places_offered ? t("copy.places_offered") : await whoHasPlaces(places_with)].join(" "));
    } catch (error) {
      setSaid(sentenceOf(error));
    }
  };
  return (
    <section class="card stack">
      <h2>{t("copy.title")}</h2>
      <p class="soft">{t("copy.about")}</p>
      {said && <p role="status">{said}</p>}
      <Button icon="paper" onClick={() => void open()}>{t("copy.go")}</Button>
    </section>
  );
}

const PARTS: Part[] = ["messages", "location", "sos_places", "measurement"];

function Consents() {
  const [open, setOpen] = useState<{ family: MyFamily; part: Part } | null>(null);
  return (
    <main class="screen">
      <Top title={t("consent.all")} />
      {home.value?.me.families.map((family) => (
        <div class="rows" key={family.family_id}>
          {PARTS.map((part) => (
            <Row
              key={part}
              title={t(`part.${part}`)}
              about={isGiven(family, part) ? t("consent.given") : t("consent.not_given")}
              onClick={() => setOpen({ family, part })}
              testId={`part-${part}`}
            />
          ))}
        </div>
      ))}
      {open && <OnePart {...open} onClose={() => setOpen(null)} />}
    </main>
  );
}

function isGiven(family: MyFamily, part: Part): boolean {
  return family.consents.some((one) => one.part === part && one.withdrawn_at === null);
}

function OnePart({ family, part, onClose }: { family: MyFamily; part: Part; onClose: () => void }) {
  const [text, loadProblem] = useConsentText(part);
  const [problem, setProblem] = useState("");
  const given = isGiven(family, part);
  const path = { family_id: family.family_id };
  const change = async (): Promise<void> => {
    try {
      if (given) await ask("POST /v1/families/{family_id}/consents/withdraw", { path, body: { part } });
      else if (text) await ask("POST /v1/families/{family_id}/consents", { path, body: { part, text_version: text.text_version, locale: text.locale } });
      await reload();
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <Sheet title={t(`part.${part}`)} onClose={onClose}>
      {text && <ConsentPaper text={text} subject={part} />}
      {(problem || loadProblem) && <Problem>{problem || loadProblem}</Problem>}
      <Button kind={given ? "bad" : "act"} disabled={!text} testId="part-change" onClick={() => void change()}>{given ? t("consent.take_back") : t("consent.agree")}</Button>
      <Button onClick={onClose}>{t("action.close")}</Button>
    </Sheet>
  );
}

export function PinForm({ onDone }: { onDone: () => void }) {
  const [pin, setPin] = useState("");
  const [problem, setProblem] = useState("");
  const send = async (): Promise<void> => {
    try {
      await ask("PUT /v1/me/pin", { body: { pin } });
      await reload();
      onDone();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <Form onSend={() => void send()}>
      <Field label={t("pin.new")} hint={t("pin.hint")} value={pin} onInput={setPin} type="password" inputMode="numeric" autoComplete="new-password" maxLength={12} />
      {problem && <Problem>{problem}</Problem>}
      <Send disabled={pin.length < 6}>{t("pin.set")}</Send>
    </Form>
  );
}

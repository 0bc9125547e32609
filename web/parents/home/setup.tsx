// What a family does once: the parent's own name, the child, the watch. Each step can be left and taken up again.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../../shared/api.ts";
import { back, replace } from "../../shared/navigation.ts";
import { Banner, Button, Field, Form, Problem, Send, Top } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { begun } from "../begun.ts";
import { sentenceOf } from "../door/door.tsx";
import { childOf, reload } from "./state.ts";

export function OwnName() {
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const send = async (): Promise<void> => {
    try {
      await ask("PATCH /v1/me", { body: { display_name: name.trim() } });
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <main class="screen">
      <Top title={t("name.title")} onBack={null} />
      <Form onSend={() => void send()}>
        <Field label={t("name.own")} hint={t("name.own_hint")} value={name} onInput={setName} autoComplete="off" maxLength={40} />
        {problem && <Problem>{problem}</Problem>}
        <Send disabled={!name.trim()}>{t("action.next")}</Send>
      </Form>
    </main>
  );
}

export function NewChild({ family_id, isFirst }: { family_id: string; isFirst: boolean }) {
  const [name, setName] = useState("");
  const [year, setYear] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const birth_year = /^\d{4}$/.test(year) ? Number(year) : null;
      const child = await ask("POST /v1/families/{family_id}/children", { path: { family_id }, body: { name: name.trim(), birth_year } });
      await reload();
      replace({ name: "pair", child_id: child.child_id });
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };
  return (
    <main class="screen">
      <Top title={t("child.title")} onBack={isFirst ? null : back} />
      <Form onSend={() => void send()}>
        <Field label={t("child.name")} hint={t("child.name_hint")} value={name} onInput={setName} autoComplete="off" maxLength={40} />
        <Field label={t("child.year")} hint={t("child.year_hint")} value={year} onInput={setYear} inputMode="numeric" maxLength={4} autoComplete="off" />
        {problem && <Problem>{problem}</Problem>}
        <Send busy={isBusy} disabled={!name.trim()}>{t("action.next")}</Send>
      </Form>
    </main>
  );
}

const LOOK_EVERY_MS = 2_000;

/** Pairing by the six digits of the watch, which may be far away with the grandmother. */
export function Pair({ child_id }: { child_id: string }) {
  const child = childOf(child_id);
  const scanned = begun.value?.kind === "pair" ? begun.value.code : "";
  const [code, setCode] = useState(scanned);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [isIssued, setIssued] = useState(false);
  const name = child?.child.name ?? "";

  // The watch says hello by itself once it has its new identity.
  useEffect(() => {
    if (!isIssued) return;
    const timer = setInterval(() => void reload(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [isIssued]);

  const send = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await ask("POST /v1/children/{child_id}/pairing", { path: { child_id }, body: { code } });
      begun.value = null;
      setIssued(true);
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setBusy(false);
  };

  const isDone = isIssued && !!child?.child.watch && child.child.watch.state !== "issued";
  return (
    <main class="screen">
      <Top title={t("pair.title")} onBack={() => replace({ name: "home" })} />
      {isDone ? (
        <div class="stack">
          <Banner kind="good" icon="good">{t("pair.done", { name })}</Banner>
          <Button kind="act" onClick={() => replace({ name: "talk", child_id })}>{t("pair.talk", { name })}</Button>
        </div>
      ) : isIssued ? (
        <Banner icon="wait">{t("pair.waits")}</Banner>
      ) : (
        <>
          <ol class="steps">
            <li>{t("pair.step_on")}</li>
            <li>{t("pair.step_code")}</li>
            <li>{t("pair.step_far")}</li>
          </ol>
          {scanned && <p class="soft">{t("pair.scanned")}</p>}
          <Form onSend={() => void send()}>
            <Field label={t("pair.code")} value={code} onInput={setCode} inputMode="numeric" autoComplete="off" />
            {problem && <Problem>{problem}</Problem>}
            <Send busy={isBusy} disabled={code.replace(/\D/g, "").length < 6}>{t("pair.go", { name })}</Send>
          </Form>
          <Button kind="quiet" onClick={() => replace({ name: "home" })}>{t("action.later")}</Button>
        </>
      )}
    </main>
  );
}

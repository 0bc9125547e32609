// The own number changes: a code to the new number, then a day in which anybody of the family can object.
import { useState } from "preact/hooks";
import type { LoginCodeResponse } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { go } from "../../shared/navigation.ts";
import { Banner, Button, Field, Form, Problem, Send, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { clockTime, dateName, t } from "../../shared/words.ts";
import { home } from "../home/state.ts";
import { useRead } from "../read.ts";

export function OwnNumber() {
  const { value, problem, change } = useRead(() => ask("GET /v1/me/number-change"), []);
  const [phone, setPhone] = useState("");
  const [code, setCode] = useState("");
  const [sent, setSent] = useState<LoginCodeResponse | null>(null);
  const waits = value?.changes[0];
  const country = home.value?.families[0]?.country ?? null;
  const request = (): Promise<boolean> =>
    change(async () => setSent(await ask("POST /v1/me/number-change/codes", { body: { phone: phone.trim(), country } })));
  const confirm = async (): Promise<void> => {
    if (!sent) return;
    const { challenge_id, challenge_secret } = sent;
    const body = { phone: phone.trim(), country, challenge_id, challenge_secret, code: code.trim() };
    if (await change(() => ask("POST /v1/me/number-change", { body }))) setSent(null);
  };
  return (
    <main class="screen">
      <Top title={t("number.title")} />
      <p>{t("number.now", { phone: home.value?.me.phone ?? "" })}</p>
      {problem && <Problem>{problem}</Problem>}
      {!value && !problem && <Skeleton />}
      {waits ? (
        <>
          <Banner icon="wait">{t("number.waits", { date: dateName(waits.due_at), at: clockTime(waits.due_at) })}</Banner>
          <Button kind="bad" testId="stop-number" onClick={() => void change(() => ask("POST /v1/me/number-change/stop"))}>{t("number.stop")}</Button>
        </>
      ) : !home.value?.pin_is_set ? (
        <>
          <p class="soft">{t("number.needs_pin")}</p>
          <Button onClick={() => go({ name: "phones" })}>{t("pin.set")}</Button>
        </>
      ) : sent ? (
        <Form onSend={() => void confirm()}>
          <Field label={t("number.code")} value={code} onInput={setCode} inputMode="numeric" autoComplete="one-time-code" maxLength={12} />
          <Send disabled={code.trim().length < 6}>{t("number.go")}</Send>
          <Button kind="quiet" onClick={() => setSent(null)}>{t("door.other_phone")}</Button>
        </Form>
      ) : (
        <>
          <p class="soft">{t("number.about")}</p>
          <Form onSend={() => void request()}>
            <Field label={t("number.new")} value={phone} onInput={setPhone} type="tel" inputMode="tel" autoComplete="off" />
            <Send disabled={!phone.trim()}>{t("number.send")}</Send>
          </Form>
        </>
      )}
    </main>
  );
}

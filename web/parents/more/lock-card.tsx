// Turns the app lock on and off, and says what it is not.
import { useState } from "preact/hooks";
import { Button, Field, Form, Send } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { hasLock, removeLock, setLock } from "../lock.tsx";

const SHORTEST = 4;

export function LockCard() {
  const [code, setCode] = useState("");
  const [isSetting, setSetting] = useState(false);
  const send = (): void => void setLock(code).then(() => { setSetting(false); setCode(""); });
  return (
    <section class="card stack" data-testid="lock">
      <h2>{t("lock.card")}</h2>
      <p class="soft">{hasLock.value ? t("lock.is_on") : t("lock.about")}</p>
      <p class="soft">{t("lock.no_safe")}</p>
      {hasLock.value ? (
        <Button onClick={removeLock}>{t("lock.turn_off")}</Button>
      ) : isSetting ? (
        <Form onSend={send}>
          <Field label={t("lock.new")} hint={t("lock.hint")} value={code} onInput={setCode} type="password" inputMode="numeric" autoComplete="new-password" maxLength={12} />
          <Send disabled={code.length < SHORTEST}>{t("lock.turn_on")}</Send>
        </Form>
      ) : (
        <Button icon="lock" onClick={() => setSetting(true)}>{t("lock.turn_on")}</Button>
      )}
    </section>
  );
}

// The ends: the watch leaves the child, or everything about the child is erased.
import { useState } from "preact/hooks";
import type { HomeChild } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { replace } from "../../shared/navigation.ts";
import { forgetChild } from "../../shared/store.ts";
import { Button, Field, Form, Problem, Send, Sheet, Top } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { home, reload } from "../home/state.ts";

// The server asks for this word; the person types the child's name, which proves more.
const WORD = "erase";

export function Unpair({ child }: { child: HomeChild }) {
  const { child_id, name } = child.child;
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const end = async (): Promise<void> => {
    try {
      await ask("DELETE /v1/children/{child_id}/pairing", { path: { child_id }, query: { reason: "unpaired" } });
      await reload();
      setAsking(false);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <>
      <Button kind="quiet" icon="watch" onClick={() => setAsking(true)}>{t("unpair.title")}</Button>
      {isAsking && (
        <Sheet title={t("unpair.title")} onClose={() => setAsking(false)}>
          <p>{t("unpair.about", { name })}</p>
          {problem && <Problem>{problem}</Problem>}
          <Button onClick={() => setAsking(false)}>{t("action.no")}</Button>
          <Button kind="bad" onClick={() => void end()}>{t("unpair.go")}</Button>
        </Sheet>
      )}
    </>
  );
}

export function Erase({ child }: { child: HomeChild }) {
  const { child_id, family_id, name } = child.child;
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState("");
  const isFirst = home.value?.me.families.find((one) => one.family_id === family_id)?.is_primary ?? false;
  const erase = async (): Promise<void> => {
    try {
      await ask("DELETE /v1/children/{child_id}", { path: { child_id }, query: { confirm: WORD } });
      await forgetChild(child_id);
      await reload();
      replace({ name: "home" });
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <main class="screen">
      <Top title={t("erase.title")} />
      <p>{t("erase.about", { name })}</p>
      <p>{t("erase.forever")}</p>
      {!isFirst ? (
        <p class="soft">{t("erase.first_only")}</p>
      ) : (
        <Form onSend={() => void erase()}>
          <Field label={t("erase.type_name", { name })} value={typed} onInput={setTyped} autoComplete="off" />
          {problem && <Problem>{problem}</Problem>}
          <Send disabled={typed.trim() !== name}>{t("erase.go")}</Send>
        </Form>
      )}
    </main>
  );
}

// The child's own word on places, with a text for children: a yes or a no, and a yes that is taken back.
import { useState } from "preact/hooks";
import type { HomeChild } from "../../shared/api-types.ts";
import { ask, askOpenly } from "../../shared/api.ts";
import { Banner, Button, Field, Form, Problem, Send, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { locale, t } from "../../shared/words.ts";
import { ConsentPaper } from "../consent/consent.tsx";
import { sayForChild } from "../consent/question.tsx";
import { sentenceOf } from "../door/door.tsx";
import { reload } from "../home/state.ts";
import { useRead } from "../read.ts";

export function OwnWord({ child }: { child: HomeChild }) {
  const { child_id, name, childs_consent_due } = child.child;
  const { value: text, problem: unread } = useRead(
    async () => (await askOpenly("GET /v1/consent-texts", { query: { locale: locale.value } })).for_children,
    [locale.value],
  );
  const [problem, setProblem] = useState("");
  const [born, setBorn] = useState("");
  const [said, setSaid] = useState<boolean | null>(null);
  const say = async (agreed: boolean): Promise<void> => {
    setProblem("");
    try {
      await sayForChild(child_id, agreed, text?.text_version ?? "");
      setSaid(agreed);
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const saveBirth = async (): Promise<void> => {
    setProblem("");
    try {
      await ask("PATCH /v1/children/{child_id}", { path: { child_id }, body: { birth_date: born } });
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <main class="screen">
      <Top title={t("word.title", { name })} />
      {childs_consent_due && said === null && <Banner icon="child">{t("word.due", { name })}</Banner>}
      {said !== null && <Banner kind="good" icon="good">{said ? t("word.said_yes", { name }) : t("word.said_no", { name })}</Banner>}
      <p>{t("word.how", { name })}</p>
      {!text && !unread && <Skeleton lines={6} />}
      {text && <ConsentPaper text={text} subject="childs_word" />}
      {child.may_manage && !child.child.birth_date && (
        <Form onSend={() => void saveBirth()}>
          <Field label={t("word.born")} hint={t("word.born_about", { name })} value={born} onInput={setBorn} type="date" autoComplete="off" />
          <Send disabled={!born}>{t("word.born_save")}</Send>
        </Form>
      )}
      {(problem || unread) && <Problem>{problem || unread}</Problem>}
      {child.may_manage ? (
        <div class="stack">
          <Button disabled={!text} onClick={() => void say(true)}>{t("word.yes", { name })}</Button>
          <Button disabled={!text} onClick={() => void say(false)}>{t("word.no", { name })}</Button>
        </div>
      ) : (
        <p class="soft">{t("right.manage_missing")}</p>
      )}
    </main>
  );
}

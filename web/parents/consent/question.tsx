// The question that is asked now, with its text. Each answer is a button of the same kind.
import { useState } from "preact/hooks";
import type { Question } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { back } from "../../shared/navigation.ts";
import { Button, Empty, Problem, Top } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { notNow, question, titleOf } from "../home/question.tsx";
import { childOf, reload } from "../home/state.ts";
import { ConsentPaper } from "./consent.tsx";

export function Asked() {
  const asked = question.value;
  if (!asked) {
    return (
      <main class="screen">
        <Top title={t("question.title")} />
        <Empty>{t("question.none")}</Empty>
      </main>
    );
  }
  return <One family_id={asked.family_id} asked={asked.question} />;
}

function One({ family_id, asked }: { family_id: string; asked: Question }) {
  const [problem, setProblem] = useState("");
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setProblem("");
    try {
      await work();
      question.value = null;
      await reload();
      back();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const { text_version, locale, subject, child_id } = asked;
  const agree = (): Promise<unknown> =>
    subject === "childs_word"
      ? sayForChild(child_id ?? "", true, text_version)
      : ask("POST /v1/families/{family_id}/consents", { path: { family_id }, body: { part: subject, text_version, locale } });
  const name = childOf(child_id ?? "")?.child.name ?? "";
  return (
    <main class="screen">
      <Top title={titleOf(asked)} />
      {subject === "childs_word" && <p>{t("word.how", { name })}</p>}
      <ConsentPaper text={asked} subject={subject} />
      {problem && <Problem>{problem}</Problem>}
      <div class="stack">
        <Button testId="yes" onClick={() => void run(agree)}>{subject === "childs_word" ? t("word.yes", { name }) : t("consent.agree")}</Button>
        {subject === "childs_word" && <Button onClick={() => void run(() => sayForChild(child_id ?? "", false, text_version))}>{t("word.no", { name })}</Button>}
        <Button onClick={() => void run(notNow)}>{t("consent.not_now")}</Button>
      </div>
    </main>
  );
}

/** The child reads or hears the text and answers on the parent's phone. */
export function sayForChild(child_id: string, agreed: boolean, text_version: string): Promise<unknown> {
  return ask("POST /v1/children/{child_id}/agreement", { path: { child_id }, body: { agreed, text_version, how: "app" } });
}

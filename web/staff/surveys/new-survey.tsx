// A new survey, one question at a time; a repeated name adds questions to the survey of that name.
import { useState } from "preact/hooks";
import { ask, Button, Choice, Field, type Key, Problem, t, useBusy } from "../kit.ts";
import type { NewQuestion } from "../api-types.ts";
import { programmeServed } from "./surveys.tsx";

const KINDS = ["yes_no", "number", "scale"] as const;

export function NewSurvey({ onMade }: { onMade: () => Promise<void> }) {
  const [name, setName] = useState("");
  const [questions, setQuestions] = useState<NewQuestion[]>([]);
  const [question, setQuestion] = useState("");
  const [label, setLabel] = useState("");
  const [kind, setKind] = useState<(typeof KINDS)[number]>("yes_no");
  const [least, setLeast] = useState("1");
  const [most, setMost] = useState("5");
  const { isBusy, problem, run } = useBusy();
  const add = (): void => {
    const bounds = kind === "scale" ? { least: Number(least), most: Number(most) } : {};
    setQuestions([...questions, { question, label, kind, ...bounds }]);
    setQuestion("");
    setLabel("");
  };
  const make = (): Promise<void> => run(async () => {
    await ask("POST /v1/staff/programmes/{programme_id}/surveys", { path: { programme_id: programmeServed() ?? "" }, body: { name, questions } });
    await onMade();
  });
  const isKey = /^[a-z][a-z0-9_]{1,29}$/.test(question);
  return (
    <section class="card stack">
      <h2>{t("surveys.new")}</h2>
      <Field label={t("surveys.called")} value={name} maxLength={80} onInput={setName} />
      {questions.length > 0 && <ol class="steps">{questions.map((one) => <li key={one.question}><code>{one.question}</code> {one.label}</li>)}</ol>}
      <div class="filters">
        <Field label={t("surveys.key")} hint={t("surveys.key_hint")} value={question} maxLength={30} onInput={setQuestion} />
        <Field label={t("surveys.question")} value={label} maxLength={200} onInput={setLabel} />
      </div>
      <Choice label={t("surveys.kind")} value={kind} onPick={(value) => setKind(value as (typeof KINDS)[number])} options={KINDS.map((one) => [one, t(`survey_kind.${one}` as Key)])} />
      {kind === "scale" && (
        <div class="filters">
          <Field label={t("surveys.least")} inputMode="numeric" value={least} onInput={setLeast} />
          <Field label={t("surveys.most")} inputMode="numeric" value={most} onInput={setMost} />
        </div>
      )}
      {problem && <Problem>{problem}</Problem>}
      <div class="choices start">
        <Button disabled={!isKey || !label} onClick={add}>{t("surveys.add")}</Button>
        <Button kind="act" busy={isBusy} disabled={!name || questions.length === 0} onClick={() => void make()}>{t("surveys.new")}</Button>
      </div>
    </section>
  );
}

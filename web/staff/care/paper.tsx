// The paper that two colleagues see, each by themselves: its number and its kind.
import { useState } from "preact/hooks";
import { Button, Field, type Key, Pick, t } from "../kit.ts";
import type { Document } from "../api-types.ts";

const KINDS = ["enrolment_form", "identity_card", "passport", "household_book"] as const;

export interface Paper {
  form_number: string;
  document: Document | null;
}

export function usePaper(): { paper: Paper; isWhole: boolean; fields: preact.JSX.Element } {
  const [form_number, setNumber] = useState("");
  const [document, setDocument] = useState<Document | "">("");
  return {
    paper: { form_number: form_number.trim(), document: document || null },
    isWhole: form_number.trim() !== "",
    fields: (
      <>
        <Field label={t("care.form_number")} hint={t("care.form_hint")} value={form_number} maxLength={40} autoComplete="off" onInput={setNumber} />
        <Pick label={t("care.document")} value={document} onPick={(value) => setDocument(value as Document | "")} options={[["", t("document.form")], ...KINDS.map((one) => [one, t(`document.${one}` as Key)] as const)]} />
      </>
    ),
  };
}

/** The second person's own look at the paper, and the step that follows from it. */
export function WithPaper({ yes, busy, onYes }: { yes: string; busy: boolean; onYes: (paper: Paper) => void }) {
  const { paper, isWhole, fields } = usePaper();
  return (
    <div class="stack">
      {fields}
      <div class="choices start"><Button kind="act" busy={busy} disabled={!isWhole} onClick={() => onYes(paper)}>{yes}</Button></div>
    </div>
  );
}

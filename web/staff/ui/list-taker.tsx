// A list from the office: dropped, chosen or pasted, checked by the server, and taken as a whole.
import { useState } from "preact/hooks";
import { Button, Problem } from "../../shared/ui/parts.tsx";
import { has, type Key, t } from "../../shared/words.ts";
import type { ListFault, ListImportResponse } from "../api-types.ts";
import { useBusy } from "./asking.ts";
import { Table, TextArea } from "./parts.tsx";

const MAX_BYTES = 1024 * 1024;
const SHOWN_FAULTS = 200;

type Props = { columns: string; send: (list: Blob, dryRun: boolean) => Promise<ListImportResponse>; onTaken?: () => void };

/** Nothing is stored before "take the list"; a fault anywhere keeps the whole list out. */
export function ListTaker({ columns, send, onTaken }: Props) {
  const [list, setList] = useState<Blob | null>(null);
  const [name, setName] = useState("");
  const [pasted, setPasted] = useState("");
  const [told, setTold] = useState<ListImportResponse | null>(null);
  const [isOver, setOver] = useState(false);
  const { isBusy, problem, run } = useBusy();
  const isTooLarge = (list?.size ?? 0) > MAX_BYTES;
  const choose = (file: Blob | null, called: string): void => {
    setList(file);
    setName(called);
    setTold(null);
  };
  const ask = (dryRun: boolean): Promise<void> =>
    run(async () => {
      if (!list) return;
      const answer = await send(list, dryRun);
      setTold(answer);
      if (answer.taken) onTaken?.();
    });
  return (
    <div class="stack">
      <p class="soft">{t("lists.columns", { columns })}</p>
      <label
        class={isOver ? "drop over" : "drop"}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const file = event.dataTransfer?.files[0];
          if (file) choose(file, file.name);
        }}
      >
        <span>{name || t("lists.drop")}</span>
        <input type="file" accept=".csv,.xlsx,text/csv" data-testid="file" onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) choose(file, file.name);
        }} />
      </label>
      <TextArea label={t("lists.paste")} hint={t("lists.paste_hint")} value={pasted} onInput={(value) => {
        setPasted(value);
        choose(value.trim() ? new Blob([asCsv(value)], { type: "text/csv" }) : null, "");
      }} />
      {isTooLarge && <Problem>{t("lists.too_large")}</Problem>}
      {problem && <Problem>{problem}</Problem>}
      <div class="choices start">
        <Button testId="check-list" busy={isBusy} disabled={!list || isTooLarge} onClick={() => void ask(true)}>{t("lists.check")}</Button>
        <Button testId="take-list" kind="act" busy={isBusy} disabled={!told?.dry_run || told.faults_in_all > 0} onClick={() => void ask(false)}>{t("lists.take")}</Button>
      </div>
      <div aria-live="polite">{told && <Outcome told={told} />}</div>
    </div>
  );
}

function Outcome({ told }: { told: ListImportResponse }) {
  if (told.faults_in_all > 0) {
    const shown = told.faults.slice(0, SHOWN_FAULTS);
    return (
      <div class="stack">
        <Problem>{t("lists.faulty", { n: told.faults_in_all })}</Problem>
        {shown.length < told.faults_in_all && <p class="soft">{t("lists.first_faults", { n: shown.length })}</p>}
        <Table
          caption={t("lists.faulty", { n: told.faults_in_all })} rows={shown.map((fault, at) => ({ ...fault, at }))} keyOf={(fault) => String(fault.at)} testId="faults"
          columns={[
            { title: t("lists.row"), cell: (fault) => (fault.row === 0 ? t("lists.whole_file") : fault.row) },
            { title: t("lists.column"), cell: (fault) => <code>{fault.column}</code> },
            { title: t("lists.fault"), cell: faultSentence },
          ]}
        />
      </div>
    );
  }
  const counts: Array<[Key, number]> = [["lists.new", told.new], ["lists.changed", told.changed], ["lists.unchanged", told.unchanged], ["lists.handed_out", told.watches_handed_out]];
  return (
    <div class="stack">
      <p class="good" data-testid="outcome">{t(told.taken ? "lists.taken" : "lists.checked")}</p>
      <dl class="facts">{counts.map(([key, n]) => <div key={key}><dt>{t(key)}</dt><dd>{n}</dd></div>)}</dl>
    </div>
  );
}

function faultSentence(fault: ListFault): string {
  const key = `fault_of_list.${fault.code}`;
  return has(key) ? t(key as Key) : (fault.sentence ?? t("fault_of_list.other"));
}

/** Spreadsheets paste columns between tabs; a cell with a comma or a quote is quoted. */
export function asCsv(pasted: string): string {
  if (!pasted.includes("\t")) return pasted;
  const quoted = (cell: string): string => (/[",]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell);
  return pasted.split(/\r?\n/).filter((line) => line.trim()).map((line) => line.split("\t").map(quoted).join(",")).join("\n");
}

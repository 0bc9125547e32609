// Tables and further fields of the console; the plain parts are in shared/ui/parts.tsx.
import type { ComponentChildren } from "preact";
import { Button, Sheet } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";

export interface Column<R> {
  title: string;
  cell: (row: R) => ComponentChildren;
  /** Numbers stand at the end of their column. */
  isNumber?: boolean;
}

type TableProps<R> = {
  caption: string;
  columns: Column<R>[];
  rows: R[];
  keyOf: (row: R) => string;
  /** Opens a row; its first cell is then a button. */
  onOpen?: (row: R) => void;
  testId?: string;
};

/** A real table: read out with its heads, scrolled inside its own frame. */
export function Table<R>({ caption, columns, rows, keyOf, onOpen, testId }: TableProps<R>) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={caption} data-testid={testId}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>{columns.map((column) => <th scope="col" class={column.isNumber ? "number" : undefined} key={column.title}>{column.title}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column, at) => {
                const inside = column.cell(row);
                if (at > 0) return <td class={column.isNumber ? "number" : undefined} key={column.title}>{inside}</td>;
                return <th scope="row" key={column.title}>{onOpen ? <button type="button" class="small" onClick={() => onOpen(row)}>{inside}</button> : inside}</th>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type PickProps = { label: string; value: string; onPick: (value: string) => void; options: readonly (readonly [value: string, words: string])[]; hint?: string; testId?: string };

/** One of a list. */
export function Pick({ label, value, onPick, options, hint, testId }: PickProps) {
  const id = `pick-${label.replace(/\W+/g, "-")}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} data-testid={testId} aria-describedby={hint ? `${id}-about` : undefined} onChange={(event) => onPick(event.currentTarget.value)}>
        {options.map(([code, words]) => <option value={code} key={code}>{words}</option>)}
      </select>
      {hint && <p id={`${id}-about`} class="soft">{hint}</p>}
    </div>
  );
}

/** One of few, all of them in sight. */
export function Choice({ label, value, onPick, options }: { label: string; value: string; onPick: (value: string) => void; options: readonly (readonly [value: string, words: string])[] }) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map(([code, words]) => (
        <label key={code}>
          <input type="radio" name={label} value={code} checked={value === code} onChange={() => onPick(code)} />
          {words}
        </label>
      ))}
    </fieldset>
  );
}

type TextAreaProps = { label: string; value: string; onInput: (value: string) => void; hint?: string; error?: string; rows?: number; maxLength?: number };

export function TextArea({ label, value, onInput, hint, error, rows = 4, maxLength }: TextAreaProps) {
  const id = `text-${label.replace(/\W+/g, "-")}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} rows={rows} maxLength={maxLength} value={value} aria-invalid={!!error} aria-describedby={hint || error ? `${id}-about` : undefined} onInput={(event) => onInput(event.currentTarget.value)} />
      {(hint || error) && <p id={`${id}-about`} class={error ? "problem" : "soft"}>{error || hint}</p>}
    </div>
  );
}

/** A question before something that others feel; Escape means no. */
export function Confirm({ title, children, yes, onYes, onNo, busy = false }: { title: string; children?: ComponentChildren; yes: string; onYes: () => void; onNo: () => void; busy?: boolean }) {
  return (
    <Sheet title={title} onClose={onNo}>
      {children}
      <div class="choices">
        <Button onClick={onNo}>{t("action.cancel")}</Button>
        <Button kind="act" busy={busy} onClick={onYes}>{yes}</Button>
      </div>
    </Sheet>
  );
}

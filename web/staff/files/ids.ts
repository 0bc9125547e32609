// The ids of DHIS2 as a table that an office keeps: our code, our name, their id. Pure.

export interface Ids {
  data_elements: Record<string, string>;
  org_units: Record<string, string>;
  /** Lines that are no ids, from 1; a line without an id is left out. */
  faults: number[];
}

export interface IdRow {
  kind: "indicator" | "place";
  code: string;
  name: string;
}

const ID = /^[A-Za-z][A-Za-z0-9]{10}$/;
const HEADING = "kind,code,name,dhis2_id";

/** The table without ids, to fill in and to keep. */
export function emptyIds(rows: IdRow[]): string {
  const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell);
  return [HEADING, ...rows.map((row) => `${row.kind},${row.code},${quoted(row.name)},`)].join("\n") + "\n";
}

/** Reads the table, as saved or as pasted from a spreadsheet; the name may hold commas. */
export function readIds(text: string): Ids {
  const read: Ids = { data_elements: {}, org_units: {}, faults: [] };
  text.split(/\r?\n/).forEach((line, at) => {
    const cells = line.split(line.includes("\t") ? "\t" : line.includes(";") ? ";" : ",").map((cell) => cell.trim());
    const [kind, code = ""] = cells;
    const id = cells[cells.length - 1] ?? "";
    if (!line.trim() || kind === "kind" || id === "") return;
    if (cells.length < 4 || !code || !ID.test(id) || (kind !== "indicator" && kind !== "place")) read.faults.push(at + 1);
    else (kind === "indicator" ? read.data_elements : read.org_units)[code] = id;
  });
  return read;
}

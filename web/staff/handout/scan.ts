// Reads the input of a scanner or a hand: a watch's label, its serial, or a family's code. Pure.
// One field takes both, in either order, so that a pair is two inputs and nobody chooses a field first.

export type Scan = { kind: "watch"; scan: string; serial: string } | { kind: "family"; code: string } | { kind: "unknown" };

// The rules of labels and serials are those of services/core/devices/watches/rules.py.
const LABEL = /^https?:\/\/[^\s#]{1,200}\/w#([A-Za-z0-9]{4,20})$/;
const OLD_LABEL = /^smartwatch:serial:([A-Za-z0-9]{4,20})$/i;
const SERIAL = /^[A-Za-z0-9]{4,20}$/;
// "17" in place of DG-017; a serial has at least four characters.
const SHORT = /^\d{1,3}$/;

export function readScan(typed: string, families: ReadonlySet<string>): Scan {
  const text = typed.trim();
  const serial = LABEL.exec(text)?.[1] ?? OLD_LABEL.exec(text)?.[1];
  if (serial) return { kind: "watch", scan: text, serial: serial.toUpperCase() };
  const code = text.toUpperCase();
  if (families.has(code)) return { kind: "family", code };
  if (SHORT.test(text)) {
    const meant = [...families].filter((one) => Number(/(\d+)$/.exec(one)?.[1] ?? NaN) === Number(text));
    return meant.length === 1 && meant[0] ? { kind: "family", code: meant[0] } : { kind: "unknown" };
  }
  return SERIAL.test(text) ? { kind: "watch", scan: text, serial: code } : { kind: "unknown" };
}

export interface PaperLine {
  /** The line's number, from 1. */
  line: number;
  pair: { scan: string; family_code: string } | null;
}

/** The lines of a paper, watch and family in either order; null for a line that is no pair. Empty lines are left out. */
export function readPaper(text: string, families: ReadonlySet<string>): PaperLine[] {
  return text.split("\n").flatMap((row, at) => {
    const words = row.split(/[\s,;]+/).filter(Boolean);
    if (words.length === 0) return [];
    const read = words.map((word) => readScan(word, families));
    const watch = read.find((one) => one.kind === "watch");
    const family = read.find((one) => one.kind === "family");
    // A code that is not on the board is sent all the same: the server says which row is wrong.
    const other = words.find((word, place) => read[place] !== watch && word.includes("-"));
    const code = family?.kind === "family" ? family.code : other?.toUpperCase();
    const pair = words.length === 2 && watch?.kind === "watch" && code ? { scan: watch.scan, family_code: code } : null;
    return [{ line: at + 1, pair }];
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPaper, readScan } from "../../../web/staff/handout/scan.ts";
import { dayTime, instantOf } from "../../../web/shared/words.ts";
import { inOrder } from "../../../web/staff/today/order.ts";
import { minutesLeft, pageOf, sentence, setWords } from "../../../web/wall/sentences.ts";

const FAMILIES = new Set(["DG-001", "DG-017", "VN-017", "DG-023"]);

test("a label, an older label and a typed serial are a watch", () => {
  for (const text of ["https://app.example.org/w#WA00042", "smartwatch:serial:WA00042", " wa00042 ", "WA00042"]) {
    const read = readScan(text, FAMILIES);
    assert.equal(read.kind === "watch" && read.serial, "WA00042", text);
  }
});

test("a family is its code, or its number where only one family has it", () => {
  assert.deepEqual(readScan("dg-001", FAMILIES), { kind: "family", code: "DG-001" });
  assert.deepEqual(readScan("23", FAMILIES), { kind: "family", code: "DG-023" });
  assert.deepEqual(readScan("17", FAMILIES), { kind: "unknown" });
  assert.deepEqual(readScan("99", FAMILIES), { kind: "unknown" });
});

test("another address, a code of nobody and rubbish are nothing", () => {
  for (const text of ["https://app.example.org/pair#482913", "DG-999", "", "x", "a b", "https://app.example.org/w#"]) {
    assert.equal(readScan(text, FAMILIES).kind, "unknown", text);
  }
});

test("a paper has a pair a line, in either order, and says which lines are none", () => {
  const lines = readPaper("WA00042 DG-001\n\ndg-023;wa00043\nWA00044\nWA00045 DG-999\n17 WA00046", FAMILIES);
  assert.deepEqual(lines, [
    { line: 1, pair: { scan: "WA00042", family_code: "DG-001" } },
    { line: 3, pair: { scan: "wa00043", family_code: "DG-023" } },
    { line: 4, pair: null },
    { line: 5, pair: { scan: "WA00045", family_code: "DG-999" } },
    { line: 6, pair: null },
  ]);
});

test("the wall says a sentence in its language, else in English", () => {
  setWords({ en: { "wall.until": "Until {at}" }, vi: {} });
  assert.equal(sentence("wall.until", "vi", { at: "12:40" }), "Until 12:40");
  assert.equal(pageOf("https://app.example.org/log-in#wall=k3m9-q2x7"), "app.example.org/log-in");
  assert.equal(minutesLeft("2026-11-29T12:40:30Z", Date.parse("2026-11-29T12:00:00Z")), 41);
  assert.equal(minutesLeft("2026-11-29T12:40:00Z", Date.parse("2026-11-29T13:00:00Z")), 0);
});

test("the time of a paper is the site's, whatever zone the office has", () => {
  assert.equal(instantOf("2026-11-30", "09:40", "Asia/Shanghai"), "2026-11-30T01:40:00.000Z");
  assert.equal(instantOf("2026-11-30", "00:10", "Europe/Istanbul"), "2026-11-29T21:10:00.000Z");
  // Summer ends in Berlin at 3 o'clock of this day.
  assert.equal(instantOf("2026-10-25", "12:00", "Europe/Berlin"), "2026-10-25T11:00:00.000Z");
  assert.equal(instantOf("2026-10-24", "12:00", "Europe/Berlin"), "2026-10-24T10:00:00.000Z");
  assert.deepEqual(dayTime(new Date("2026-11-29T21:10:00Z"), "Europe/Istanbul"), { day: "2026-11-30", time: "00:10" });
});

test("what has waited longest comes first, what has no time last", () => {
  const one = (id: string, since: string | null) => ({ id, since, icon: "bell" as const, title: () => "", about: () => "", screen: "", what: "" });
  const sorted = inOrder([one("c", null), one("b", "2026-11-29T10:00:00Z"), one("a", "2026-11-28T10:00:00Z")]);
  assert.deepEqual(sorted.map((row) => row.id), ["a", "b", "c"]);
});

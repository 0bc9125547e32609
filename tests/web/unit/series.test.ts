import assert from "node:assert/strict";
import test from "node:test";
import type { UsageCell } from "../../../web/staff/api-types.ts";
import { runsOf, seriesOf, topOf } from "../../../web/staff/usage/series.ts";

const cell = (value: number | null, suppressed = false): UsageCell => ({ indicator: "messages", version: 3, suppressed, n: 45, count: null, value, lower_quartile: null, upper_quartile: null, bound: null });
const weeks = [cell(0), cell(null, true), cell(12)].map((one, at) => ({ week: `2026-01-0${at + 1}`, cells: [one] }));

test("a week that is not shown is no zero, and a zero is shown", () => {
  const points = seriesOf("messages", weeks);
  assert.deepEqual(points.map((one) => one.cell?.value ?? null), [0, null, 12]);
  assert.deepEqual(runsOf(points), [{ isShown: true, from: 0, to: 0 }, { isShown: false, from: 1, to: 1 }, { isShown: true, from: 2, to: 2 }]);
});

test("an indicator that a week does not have is not shown there", () => {
  assert.deepEqual(seriesOf("calls", weeks).map((one) => one.cell), [null, null, null]);
});

test("the scale ends at a round number, or at the whole", () => {
  assert.equal(topOf(seriesOf("messages", weeks), false), 20);
  assert.equal(topOf([{ week: "2026-01-01", cell: cell(0.62) }], true), 1);
  assert.equal(topOf([], false), 1);
});

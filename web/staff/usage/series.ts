// One indicator over the weeks, and where its lines run. Pure.
import type { UsageCell, UsageWeek } from "../api-types.ts";

export interface Point {
  week: string;
  /** null: the week has no cell of this indicator, or it is not shown. Never zero. */
  cell: UsageCell | null;
}

/** The weeks of one indicator, oldest first. */
export function seriesOf(indicator: string, weeks: UsageWeek[]): Point[] {
  return weeks.map(({ week, cells }) => {
    const cell = cells.find((one) => one.indicator === indicator);
    return { week, cell: cell && !cell.suppressed && cell.value !== null ? cell : null };
  });
}

export interface Run {
  isShown: boolean;
  from: number;
  to: number;
}

/** Runs of weeks that are shown, and of weeks that are not, as first and last places. */
export function runsOf(points: Point[]): Run[] {
  const runs: Run[] = [];
  points.forEach(({ cell }, place) => {
    const last = runs[runs.length - 1];
    if (last && last.isShown === (cell !== null)) last.to = place;
    else runs.push({ isShown: cell !== null, from: place, to: place });
  });
  return runs;
}

/** The end of the scale: a whole for shares, else a round number above the largest value. */
export function topOf(points: Point[], isShare: boolean): number {
  const largest = Math.max(0, ...points.map(({ cell }) => cell?.upper_quartile ?? cell?.value ?? 0));
  if (isShare) return largest > 0.5 ? 1 : largest > 0.2 ? 0.5 : 0.2;
  if (largest === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= largest) ?? largest;
}

// uPlot, fetched for the first chart, as one small picture needs it: a line with its quartiles, hatched gaps, a mark that follows mouse and keys.
import uPlot from "uplot";
import type { Point, Run } from "./series.ts";

const HEIGHT_PX = 96;
const LINE_PX = 2;
const DOT_PX = 5;
// Of the scale, so that a line of zeros and one of wholes are not cut.
const MARGIN = 0.03;

export interface Plot {
  /** Puts the mark on a week. */
  mark: (place: number) => void;
  end: () => void;
}

/** Draws into `host` and keeps to its width; `onMark` tells the week under the mouse. Colours are the page's own. */
export function plot(host: HTMLElement, points: Point[], runs: Run[], top: number, onMark: (place: number) => void): Plot {
  const colour = (name: string) => (): string => getComputedStyle(host).getPropertyValue(name).trim();
  const value = (of: "value" | "upper_quartile" | "lower_quartile"): (number | null)[] => points.map(({ cell }) => cell?.[of] ?? null);
  // A line needs two weeks.
  const alone = runs.filter((run) => run.isShown && run.from === run.to).map((run) => run.from);
  const hidden: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
  const chart = new uPlot(
    {
      width: host.clientWidth, height: HEIGHT_PX, padding: [0, 0, 0, 0], legend: { show: false }, axes: [{ show: false }, { show: false }],
      scales: { x: { time: false, range: () => [-0.5, points.length - 0.5] }, y: { range: () => [-MARGIN * top, (1 + MARGIN) * top] } },
      // A mouse that leaves the picture leaves the mark where it was.
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, bind: { mouseleave: () => null } },
      series: [
        {},
        // Drawn in this order: the line lies over its quartiles.
        hidden,
        hidden,
        { stroke: colour("--calm"), width: LINE_PX, points: { show: true, size: DOT_PX, width: 0, fill: colour("--calm"), filter: () => alone } },
      ],
      bands: [{ series: [1, 2], fill: colour("--calm-face") }],
      hooks: {
        setCursor: [({ cursor: { idx } }) => { if (idx !== null && idx !== undefined) onMark(idx); }],
        setSize: [hatch],
        ready: [hatch],
      },
    },
    [points.map((_, place) => place), value("upper_quartile"), value("lower_quartile"), value("value")],
    host,
  );

  /** A gap is an element of the page, so that it follows its colours, is printed, and can be counted. */
  function hatch(on: uPlot): void {
    on.over.querySelectorAll(".gap").forEach((one) => one.remove());
    for (const run of runs.filter((one) => !one.isShown)) {
      const gap = document.createElement("div");
      gap.className = "gap";
      const from = on.valToPos(run.from - 0.5, "x");
      gap.style.insetInlineStart = `${from}px`;
      gap.style.inlineSize = `${on.valToPos(run.to + 0.5, "x") - from}px`;
      on.over.append(gap);
    }
  }

  const redraw = (): void => chart.redraw();
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);
  const size = new ResizeObserver(() => {
    if (host.clientWidth > 0 && host.clientWidth !== chart.width) chart.setSize({ width: host.clientWidth, height: HEIGHT_PX });
  });
  size.observe(host);
  return {
    mark: (place) => chart.setCursor({ left: chart.valToPos(place, "x"), top: 0 }, false),
    end: () => {
      scheme.removeEventListener("change", redraw);
      size.disconnect();
      chart.destroy();
    },
  };
}

// One indicator as a small picture, with the same numbers in a table under it. A week is read out with the arrow keys.
import { useEffect, useRef, useState } from "preact/hooks";
import { locale, numberName, percentName, shortDate, t, Table } from "../kit.ts";
import type { Indicator } from "../api-types.ts";
import type { Plot } from "./plot.ts";
import { type Point, runsOf, topOf } from "./series.ts";

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

export function Chart({ indicator, points }: { indicator: Indicator; points: Point[] }) {
  const { name = indicator.code, definition = "" } = indicator.words[locale.value] ?? {};
  const isShare = indicator.kind === "share_of_families" || indicator.kind === "ratio" || indicator.kind === "survival";
  const last = Math.max(0, points.length - 1);
  const [at, setAt] = useState(last);
  const [asksWhat, setAsksWhat] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<Plot | null>(null);
  const place = useRef(last);
  place.current = Math.min(at, last);
  const top = topOf(points, isShare);
  const point = points[place.current];
  const told = point ? `${shortDate(point.week)}: ${valueOf(point)}` : "";
  useEffect(() => {
    let isWanted = true;
    const draw = async (): Promise<void> => {
      const { plot } = await import("./plot.ts");
      if (!isWanted || !host.current) return;
      drawn.current = plot(host.current, points, runsOf(points), top, setAt);
      drawn.current.mark(place.current);
    };
    // Without the network there is the table.
    draw().catch(() => undefined);
    return () => {
      isWanted = false;
      drawn.current?.end();
      drawn.current = null;
    };
  }, [points, top]);

  function valueOf({ cell }: Point): string {
    if (!cell || cell.value === null) return t("usage.not_shown");
    const sign = cell.bound === "at_most" ? "≤ " : cell.bound === "at_least" ? "≥ " : "";
    return `${sign}${numberOf(cell.value)}${cell.n === null ? "" : `, ${t("usage.n", { n: cell.n })}`}`;
  }
  function numberOf(value: number): string {
    return isShare ? percentName(value) : numberName(value);
  }
  const turn = (event: KeyboardEvent): void => {
    if (event.key === "Escape") setAsksWhat(false);
    const by = STEPS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = Math.min(last, Math.max(0, at + by));
    setAt(next);
    drawn.current?.mark(next);
  };
  return (
    <figure class="chart" data-testid={`chart-${indicator.code}`} onPointerEnter={() => setAsksWhat(true)} onPointerLeave={() => setAsksWhat(false)} onFocusIn={() => setAsksWhat(true)} onFocusOut={() => setAsksWhat(false)}>
      <figcaption>{name}</figcaption>
      <div class="scale"><span class="told" aria-live="polite">{told}</span><span>{numberOf(top)}</span></div>
      <div class="plot" ref={host} role="img" aria-label={`${name}. ${told}`} aria-describedby={`about-${indicator.code}`} tabIndex={0} onKeyDown={turn} />
      <div class="scale"><span>{points[0] && shortDate(points[0].week)}</span><span>{points[last] && shortDate(points[last].week)}</span></div>
      <p class={asksWhat ? "about shown" : "about"} id={`about-${indicator.code}`}>{definition}</p>
      <details>
        <summary>{t("usage.table")}</summary>
        <p class="soft">{definition}</p>
        <Table
          caption={name} rows={points} keyOf={(one) => one.week}
          columns={[
            { title: t("usage.week"), cell: (one) => shortDate(one.week) },
            { title: t("usage.value"), cell: (one) => (one.cell?.value == null ? t("usage.hidden") : numberOf(one.cell.value)), isNumber: true },
            { title: t("usage.quartiles"), cell: (one) => (one.cell?.lower_quartile == null || one.cell.upper_quartile === null ? "" : `${numberOf(one.cell.lower_quartile)}-${numberOf(one.cell.upper_quartile)}`), isNumber: true },
            { title: t("usage.families"), cell: (one) => one.cell?.n ?? "", isNumber: true },
          ]}
        />
      </details>
    </figure>
  );
}

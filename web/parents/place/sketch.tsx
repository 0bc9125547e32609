// A sketch of where the child is: safe zones, the circle of uncertainty, the way of the day. No tiles: they would tell
// their owner where the child is.
import type { Place, ZoneResponse } from "../../shared/api-types.ts";
import { t } from "../../shared/words.ts";

const SIZE = 320;
const M_PER_DEGREE = 111_320;
const SMALLEST_SPAN_M = 300;
const SCALES_M = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000];

export interface Drawn {
  scale: number;
  at: (place: { lat: number; lon: number }) => [number, number];
}

/** A flat drawing around a point that holds all places; good to some kilometres, which is all that is drawn. */
export function drawingOf(center: Place, around: Array<{ lat: number; lon: number; radius_m: number }>): Drawn {
  const east = (lon: number): number => (lon - center.lon) * M_PER_DEGREE * Math.cos((center.lat * Math.PI) / 180);
  const north = (lat: number): number => (lat - center.lat) * M_PER_DEGREE;
  const far = around.map((one) => Math.hypot(east(one.lon), north(one.lat)) + one.radius_m);
  const half = Math.max(SMALLEST_SPAN_M / 2, ...far) * 1.1;
  const scale = SIZE / 2 / half;
  return { scale, at: (one) => [SIZE / 2 + east(one.lon) * scale, SIZE / 2 - north(one.lat) * scale] };
}

export type Circle = { lat: number; lon: number; radius_m: number; name: string };
type SketchProps = { place: Place; accuracy_m: number; zones: ZoneResponse[]; track: Place[]; planned?: Circle | null };

const FAR_M = 5000;

export function Sketch({ place, accuracy_m, zones, track, planned = null }: SketchProps) {
  const isNear = (one: { lat: number; lon: number }): boolean => Math.hypot(one.lat - place.lat, one.lon - place.lon) * M_PER_DEGREE < FAR_M;
  // A zone on the other side of the town would make the child's own surroundings a dot.
  const near = [
    ...zones.flatMap((one) => (one.shape.kind === "circle" && isNear(one.shape) ? [{ ...one.shape, name: one.name }] : [])),
    ...(planned ? [planned] : []),
  ];
  const outlines = zones.flatMap((one) => (one.shape.kind === "outline" && one.shape.corners.some(isNear) ? [{ corners: one.shape.corners, name: one.name }] : []));
  const drawing = drawingOf(place, [
    { ...place, radius_m: accuracy_m },
    ...near,
    ...outlines.flatMap((one) => one.corners.map((corner) => ({ ...corner, radius_m: 0 }))),
    ...track.map((one) => ({ ...one, radius_m: 0 })),
  ]);
  const [x, y] = drawing.at(place);
  const bar = SCALES_M.filter((one) => one * drawing.scale <= SIZE / 2).pop() ?? SCALES_M[0] ?? 50;
  return (
    <svg class="sketch" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={t("place.sketch", { n: Math.round(accuracy_m) })}>
      {near.map((one) => {
        const [cx, cy] = drawing.at(one);
        return (
          <g key={one.name}>
            <circle class="zone" cx={cx} cy={cy} r={one.radius_m * drawing.scale} />
            <text x={cx} y={cy - one.radius_m * drawing.scale - 4}>{one.name}</text>
          </g>
        );
      })}
      {outlines.map((one) => {
        const corners = one.corners.map((corner) => drawing.at(corner));
        const top = corners.reduce((highest, corner) => (corner[1] < highest[1] ? corner : highest));
        return (
          <g key={one.name}>
            <polygon class="zone" points={corners.map((corner) => corner.join(",")).join(" ")} />
            <text x={top[0]} y={top[1] - 4}>{one.name}</text>
          </g>
        );
      })}
      {track.length > 1 && <polyline class="track" points={track.map((one) => drawing.at(one).join(",")).join(" ")} />}
      <circle class="unsure" cx={x} cy={y} r={Math.max(6, accuracy_m * drawing.scale)} />
      <circle class="dot" cx={x} cy={y} r={6} />
      <g class="scale">
        <path d={`M12 ${SIZE - 14}v4h${bar * drawing.scale}v-4`} />
        <text x={12} y={SIZE - 18}>{t("place.metres", { n: bar })}</text>
      </g>
    </svg>
  );
}

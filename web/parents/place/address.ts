// The addresses that open a place in the phone's own map.
import type { Place } from "../../shared/api-types.ts";

/** Coordinates are WGS-84 and stay so: the map application converts them. */
export function mapAddress(place: Place, kind: "amap" | "geo", ios: boolean): string {
  const at = `${place.lat.toFixed(6)},${place.lon.toFixed(6)}`;
  if (kind === "amap") return `https://uri.amap.com/marker?position=${place.lon.toFixed(6)},${place.lat.toFixed(6)}&coordinate=wgs84&callnative=1`;
  return ios ? `maps://?ll=${at}&q=${at}` : `geo:${at}?q=${at}`;
}

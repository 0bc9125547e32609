// A day and a time as the site's clock shows them, wherever the computer stands.
import { clockTime, shortDate } from "../../shared/words.ts";
import { site } from "../place.ts";

export function dayAndTime(at: string): string {
  const zone = site.value?.timezone;
  return `${shortDate(at, zone)} ${clockTime(at, zone)}`;
}

// The place in the console: a site and a screen, in the fragment of the address. A serial or a family's code stays in
// memory only, because a browser writes its addresses to the disk.
import { computed, signal } from "@preact/signals";
import type { Site } from "./api-types.ts";
import { ask } from "./api.ts";
import { may, me } from "./session.ts";

const NO_SITE = "-";

export type Desk = Pick<Site, "site_id" | "name" | "timezone" | "locale" | "country" | "programme" | "simulated">;
export const sites = signal<Desk[]>([]);
export const areSitesRead = signal(false);
const place = signal(readFragment());
/** What the screen was opened for, such as a watch's serial; empty after a reload. */
export const about = signal("");

export const site = computed<Desk | null>(() => sites.value.find((one) => one.site_id === place.value.site_id) ?? sites.value[0] ?? null);
export const screenName = computed(() => place.value.screen);

/** Goes to a screen of the same site; `what`: for which watch or family, kept in memory. */
export function go(screen: string, what = ""): void {
  about.value = what;
  location.hash = `#/${site.value?.site_id ?? NO_SITE}/${screen}`;
}

export function goToSite(site_id: string): void {
  about.value = "";
  location.hash = `#/${site_id}/${screenName.value}`;
}

/** Reads the sites of the caller, with their names, zones and languages. */
export async function readSites(): Promise<void> {
  if (may("see structure")) {
    sites.value = (await ask("GET /v1/staff/sites")).sites;
  } else {
    sites.value = (me.value?.scopes ?? []).flatMap(({ site_id, site, programme, simulated, country, timezone, locale }) =>
      site_id ? [{ site_id, name: site ?? "", programme, simulated, country: country ?? "", timezone: timezone ?? "UTC", locale: locale ?? "en" }] : [],
    );
  }
  areSitesRead.value = true;
}

export function forgetSites(): void {
  sites.value = [];
  areSitesRead.value = false;
  about.value = "";
}

function readFragment(): { site_id: string; screen: string } {
  const [, site_id = NO_SITE, screen = ""] = location.hash.split("/");
  return { site_id, screen };
}

addEventListener("hashchange", () => {
  place.value = readFragment();
  scrollTo(0, 0);
});

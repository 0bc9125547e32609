// What waits for staff, from every list that the role may read; what has waited longest comes first.
import { shortDate, t, type Key } from "../../shared/words.ts";
import { ask, Refused } from "../api.ts";
import { may } from "../session.ts";
import { inOrder, type Waiting } from "./order.ts";

interface Path {
  path: { site_id: string };
}
type Reader = (site: Path, locale: "en" | "zh-Hans" | "vi" | "tr") => Promise<Waiting[]>;

const READERS: Array<[permission: string, read: Reader]> = [
  ["support families", readHelp],
  ["see devices", readTriage],
  ["recover accounts", readRecoveries],
  ["break glass", readBreakGlass],
  ["settle contests", readContests],
  ["approve accounts", readAccounts],
];

/** Reads all lists at once; `isWhole` false: at least one could not be read, the others are there all the same. */
export async function readWaiting(site_id: string, locale: "en" | "zh-Hans" | "vi" | "tr"): Promise<{ waiting: Waiting[]; isWhole: boolean }> {
  const asked = READERS.filter(([permission]) => may(permission)).map(([, read]) => read({ path: { site_id } }, locale));
  const read = await Promise.all(asked.map((one) => one.catch(rethrowUnlessRefused)));
  return { waiting: inOrder(read.flatMap((one) => one ?? [])), isWhole: !read.includes(null) };
}

/** One refused list hides no other; a missing network or an ended session is the whole screen's affair. */
function rethrowUnlessRefused(error: unknown): null {
  if (error instanceof Refused && error.status !== 401) return null;
  throw error;
}

async function readHelp(site: Path): Promise<Waiting[]> {
  const { calls } = await ask("GET /v1/staff/sites/{site_id}/help", site);
  return calls.map((one) => ({
    id: one.help_id, icon: "help", title: () => t("today.help", { family: one.family_code }), about: () => t(`help_kind.${one.kind}` as Key),
    since: one.asked_at, screen: "care", what: one.family_code,
  }));
}

async function readTriage(site: Path, locale: "en" | "zh-Hans" | "vi" | "tr"): Promise<Waiting[]> {
  const { entries, site_warnings } = await ask("GET /v1/staff/sites/{site_id}/triage", { ...site, query: { locale } });
  const warnings = site_warnings.map((one): Waiting => ({
    id: one.kind, icon: "bad", title: () => t("today.few_approvers"), about: () => one.advice, since: null, screen: "colleagues", what: "",
  }));
  const watches = entries.map((one): Waiting => {
    const name = one.family_code ? `${one.serial}, ${one.family_code}` : one.serial;
    const due = one.since_at !== null && Date.parse(one.since_at) > Date.now() ? ` ${shortDate(one.since_at)}` : "";
    return {
      id: `${one.serial}-${one.kind}`, icon: "watch", title: () => `${name}: ${t(`triage.${one.kind}` as Key)}${due}`, about: () => one.advice,
      since: due ? null : one.since_at, screen: "watches", what: one.serial,
    };
  });
  return [...warnings, ...watches];
}

async function readRecoveries(site: Path): Promise<Waiting[]> {
  const { recoveries } = await ask("GET /v1/staff/sites/{site_id}/recoveries", site);
  return recoveries.filter((one) => one.state === "asked").map((one) => ({
    id: one.recovery_id, icon: "lock", title: () => t("today.recovery", { family: one.family_code }), about: () => t("today.second_person"),
    since: one.asked_at, screen: "care", what: one.recovery_id,
  }));
}

async function readBreakGlass(site: Path): Promise<Waiting[]> {
  const { break_glass } = await ask("GET /v1/staff/sites/{site_id}/break-glass", site);
  return break_glass.filter((one) => one.opened_at === null && one.closes_at === null).map((one) => ({
    id: one.break_glass_id, icon: "hand", title: () => t("today.break_glass", { family: one.family_code }), about: () => t("today.second_person"),
    since: one.asked_at, screen: "care", what: one.break_glass_id,
  }));
}

async function readContests(site: Path): Promise<Waiting[]> {
  const { contests } = await ask("GET /v1/staff/sites/{site_id}/contests", site);
  return contests.filter((one) => one.decision === null || one.decision.state === "asked").map((one) => ({
    id: one.contest_id, icon: "family", title: () => t("today.contest", { family: one.family_code }), about: () => t("today.second_person"),
    since: one.raised_at, screen: "care", what: one.contest_id,
  }));
}

async function readAccounts(): Promise<Waiting[]> {
  const { requests } = await ask("GET /v1/staff/account-requests");
  return requests.filter((one) => one.state === "asked").map((one) => ({
    id: one.request_id, icon: "child", title: () => t("today.account", { name: one.display_name }), about: () => t("today.second_person"),
    since: one.asked_at, screen: "colleagues", what: one.request_id,
  }));
}

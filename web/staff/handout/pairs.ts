// The pair that is being made, and what became of the last ones. One request after the other, in the order of the scans.
import { signal } from "@preact/signals";
import { ask, isOffline, Refused, sentenceOf, site, t } from "../kit.ts";
import { codes, families } from "./board.ts";
import { readScan } from "./scan.ts";
import { sound } from "./sound.ts";

export interface Half {
  scan: string;
  serial: string;
  family: string;
}

export interface Verdict {
  kind: "yes" | "no" | "offline";
  /** The big line, and what to do; said anew when the language changes. */
  title: () => string;
  about: () => string;
  /** A family that no phone reaches: a slip helps. */
  unreached: string | null;
  at: number;
}

const NOTHING: Half = { scan: "", serial: "", family: "" };
export const half = signal<Half>(NOTHING);
export const verdict = signal<Verdict | null>(null);
/** Pairs that no answer confirmed: they go on from paper, and nothing sends them by itself. */
export const unconfirmed = signal<Half[]>([]);
export const isOfflineNow = signal(false);

let sending = Promise.resolve();

/** Takes one input of the field. */
export function take(typed: string): void {
  if (!typed.trim()) return;
  const read = readScan(typed, codes.value);
  if (read.kind === "unknown") return judge("no", () => t("handout.unknown"), () => t("handout.unknown_about"));
  half.value = read.kind === "watch" ? { ...half.value, scan: read.scan, serial: read.serial } : { ...half.value, family: read.code };
  const whole = half.value;
  if (!whole.serial || !whole.family) return;
  half.value = NOTHING;
  sending = sending.catch(() => undefined).then(() => give(whole));
}

/** Begins the pair anew. */
export function clearHalf(): void {
  half.value = NOTHING;
}

async function give({ scan, serial, family }: Half): Promise<void> {
  const words = { watch: serial, family };
  try {
    const given = await ask("POST /v1/staff/sites/{site_id}/watch-hand-outs", { ...here(), body: { scan, family_code: family }, timeoutMs: 8000 });
    isOfflineNow.value = false;
    const isIn = families.value.find((one) => one.family_code === family)?.has_logged_in;
    const unreached = isIn ? "handout.no_phone" : "handout.not_yet_in";
    const about = !given.is_new ? "handout.had_it" : given.no_working_channel ? unreached : "handout.next";
    judge("yes", () => t("handout.yes", words), () => t(about), given.no_working_channel ? family : null);
  } catch (error) {
    if (isOffline(error)) {
      isOfflineNow.value = true;
      unconfirmed.value = [...unconfirmed.value, { scan, serial, family }];
      return judge("offline", () => t("handout.offline"), () => t("handout.offline_about", words));
    }
    const holder = error instanceof Refused ? error.fields["family_code"] : undefined;
    const why = typeof holder === "string" ? () => t("handout.elsewhere", { family: holder }) : () => sentenceOf(error);
    judge("no", () => t("handout.no", words), why);
  }
}

/** Takes the last pair back; the server allows it for two hours, until the watch is paired. */
export async function undo(): Promise<void> {
  await sending;
  try {
    const undone = await ask("POST /v1/staff/sites/{site_id}/watch-hand-outs/undo", { ...here(), timeoutMs: 8000 });
    judge("yes", () => t("handout.undone", { watch: undone.serial, family: undone.family_code }), () => t("handout.next"));
  } catch (error) {
    judge("no", () => t("handout.not_undone"), () => sentenceOf(error));
  }
}

function judge(kind: Verdict["kind"], title: () => string, about: () => string, unreached: string | null = null): void {
  verdict.value = { kind, title, about, unreached, at: (verdict.value?.at ?? 0) + 1 };
  sound(kind === "yes");
}

function here(): { path: { site_id: string } } {
  return { path: { site_id: site.value?.site_id ?? "" } };
}

export function forgetPairs(): void {
  half.value = NOTHING;
  verdict.value = null;
  unconfirmed.value = [];
  isOfflineNow.value = false;
}

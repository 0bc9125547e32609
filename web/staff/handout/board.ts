// The families of the site on the day of the hand-out: read whole once, then only what has changed.
import { computed, signal } from "@preact/signals";
import { ask } from "../kit.ts";
import type { BoardFamily, BoardResponse } from "../api-types.ts";

type Counts = Pick<BoardResponse, "enrolled" | "logged_in" | "given" | "paired">;

const parts = signal<Record<number, BoardFamily[]>>({});
export const counts = signal<Counts | null>(null);
export const families = computed(() => Object.values(parts.value).flat().sort((a, b) => (a.family_code < b.family_code ? -1 : 1)));
export const codes = computed<ReadonlySet<string>>(() => new Set(families.value.map((one) => one.family_code)));

let since = "";
let ofSite = "";

/** Reads what has changed since the last time; another site begins anew. Raises Refused or Unreachable. */
export async function readBoard(site_id: string): Promise<void> {
  if (site_id !== ofSite) forgetBoard();
  ofSite = site_id;
  const board = await ask("GET /v1/staff/sites/{site_id}/board", { path: { site_id }, query: since ? { since } : {}, timeoutMs: 8000 });
  if (site_id !== ofSite) return;
  since = board.since;
  counts.value = { enrolled: board.enrolled, logged_in: board.logged_in, given: board.given, paired: board.paired };
  if (board.parts.length > 0) parts.value = { ...parts.value, ...Object.fromEntries(board.parts.map((one) => [one.part, one.families])) };
}

export function forgetBoard(): void {
  since = "";
  ofSite = "";
  parts.value = {};
  counts.value = null;
}

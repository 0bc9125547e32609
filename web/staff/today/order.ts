// What waits for staff, in the order of the first screen. Pure.
import type { IconName } from "../../shared/ui/icon.tsx";

export interface Waiting {
  id: string;
  icon: IconName;
  /** Said when it is drawn, so that another language needs no other reading. */
  title: () => string;
  about: () => string;
  /** null: no time is known, it comes last. */
  since: string | null;
  /** The screen of its one action, and what for. */
  screen: string;
  what: string;
}

/** What has waited longest comes first. */
export function inOrder(waiting: Waiting[]): Waiting[] {
  const timeOf = (one: Waiting): number => (one.since === null ? Infinity : Date.parse(one.since));
  return [...waiting].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : a.id < b.id ? -1 : 1));
}

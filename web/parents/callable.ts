// Whom to call first. Pure.
import type { ContactResponse } from "../shared/api-types.ts";

/** Contacts with a number but `own`, whoever lives with the child first, then those for emergencies. */
export function callable(contacts: readonly ContactResponse[], own: string): ContactResponse[] {
  const nearness = (one: ContactResponse): number => (one.lives_with_child ? 0 : one.emergency ? 1 : 2);
  return contacts
    .filter((one) => one.number && one.state === "approved" && one.guardian_id !== own)
    .sort((a, b) => nearness(a) - nearness(b) || a.position - b.position);
}

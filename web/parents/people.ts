// The people around a child who have a number, also without a network.
import type { ContactResponse } from "../shared/api-types.ts";
import { ask } from "../shared/api.ts";
import { guardianId } from "../shared/session.ts";
import { keep, kept } from "../shared/store.ts";
import { callable } from "./callable.ts";

const ANSWER_WITHIN_MS = 5_000;

/** Everybody but the guardian of this phone who can be called, whoever lives with the child first. */
export async function readCallable(child_id: string): Promise<ContactResponse[]> {
  const name = `contacts/${child_id}`;
  let found: ContactResponse[];
  try {
    found = (await ask("GET /v1/children/{child_id}/contacts", { path: { child_id }, timeoutMs: ANSWER_WITHIN_MS })).contacts;
    await keep(name, found);
  } catch {
    found = (await kept<ContactResponse[]>(name)) ?? [];
  }
  return callable(found, guardianId());
}

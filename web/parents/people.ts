// The people around a child who have a number, also without a network.
import { useEffect, useState } from "preact/hooks";
import type { ContactListResponse, ContactResponse } from "../shared/api-types.ts";
import { ask } from "../shared/api.ts";
import { guardianId } from "../shared/session.ts";
import { keep, kept } from "../shared/store.ts";
import { callable } from "./callable.ts";

const ANSWER_WITHIN_MS = 5_000;

function nameOf(child_id: string): string {
  return `contacts/${child_id}`;
}

/** Everybody but the guardian of this phone who can be called: at once those that the phone kept, then those of now. */
export function useCallable(child_id: string, isWanted = true): ContactResponse[] {
  const [people, setPeople] = useState<ContactResponse[]>([]);
  useEffect(() => {
    if (!isWanted) return;
    let isOver = false;
    const show = (found: ContactResponse[]): void => {
      if (!isOver) setPeople(callable(found, guardianId()));
    };
    void kept<ContactResponse[]>(nameOf(child_id)).then((held) => held && show(held)).then(() => read(child_id)).then(show, () => undefined);
    return () => {
      isOver = true;
    };
  }, [child_id, isWanted]);
  return people;
}

async function read(child_id: string): Promise<ContactResponse[]> {
  return (await readContacts(child_id, ANSWER_WITHIN_MS)).contacts;
}

/** The child's contacts, which the phone keeps for a call for help without a network. */
export async function readContacts(child_id: string, timeoutMs?: number): Promise<ContactListResponse> {
  const found = await ask("GET /v1/children/{child_id}/contacts", { path: { child_id }, timeoutMs });
  await keep(nameOf(child_id), found.contacts);
  return found;
}

/** Keeps whom to call before the first call for help: it must not wait for a network, nor move under a finger. */
export async function keepCallable(child_ids: readonly string[]): Promise<void> {
  for (const child_id of child_ids) await read(child_id);
}

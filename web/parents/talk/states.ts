// How far a message came, in a word and an icon: ticks mean nothing to somebody who has not learned them.
import type { MessageResponse } from "../../shared/api-types.ts";
import type { IconName } from "../../shared/ui/icon.tsx";
import type { Key } from "../../shared/words.ts";

export interface Reached {
  key: Key;
  icon: IconName;
}

export function reached(message: MessageResponse): Reached | null {
  if (message.direction !== "to_child") return null;
  const state = message.recipients[0]?.state;
  if (state === "queued") return { key: "state.no_watch", icon: "wait" };
  if (state === "stored") return { key: "state.on_the_way", icon: "way" };
  if (state === "delivered") return { key: "state.on_watch", icon: "watch" };
  if (state === "played") return { key: message.kind === "voice" ? "state.heard" : "state.read", icon: "heard" };
  if (state === "expired") return { key: "state.expired", icon: "bad" };
  return state === "rejected" ? { key: "state.rejected", icon: "bad" } : null;
}

/** The messages whose state is shown: the newest of equal ones in a row. */
export function shownStates(list: readonly MessageResponse[]): Set<string> {
  const shown = new Set<string>();
  let key: Key | null = null;
  for (const one of [...list].reverse()) {
    const state = reached(one);
    if (!state) continue;
    if (state.key !== key) shown.add(one.message_id);
    key = state.key;
  }
  return shown;
}

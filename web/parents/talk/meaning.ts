// What a finger means. Pure: the times are those of the events.
export const TAP_MS = 500;
export const SHORTEST_MS = 1_000;

export type Target = "button" | "cancel" | "free" | null;

/** What a lift of the finger means, by how long it was down and over what. */
export function meaningOfLift(heldMs: number, over: Target): "cancel" | "free" | "short" | "send" {
  if (over === "cancel") return "cancel";
  if (over === "free" || heldMs < TAP_MS) return "free";
  return heldMs < SHORTEST_MS ? "short" : "send";
}

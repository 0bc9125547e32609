// A tap's own click lands on whatever is drawn under the finger next. What appeared there reacts after half a second.
const SHIELD_MS = 500;
let shieldedUntil = -Infinity;

/** Begins half a second in which guarded buttons do not react; `at` is the time of the event that changed the screen. */
export function shield(at: number): void {
  shieldedUntil = at + SHIELD_MS;
}

export function guarded(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    // A keyboard's click has no detail: nothing was under a finger.
    if (event.detail > 0 && event.timeStamp < shieldedUntil) return;
    act();
  };
}

// When the lock of a shared phone is due. Pure.
const AFTER_MS = 5 * 60_000;

/** Whether so long has passed without a touch that the code is asked for; also when the clock went back. */
export function isDueToLock(usedAtMs: number, now: number): boolean {
  return now - usedAtMs >= AFTER_MS || now < usedAtMs;
}

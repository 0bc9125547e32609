// What a screen asks again and again, only while somebody can see it.
import { useEffect, useRef } from "preact/hooks";

/** Calls `work` now and then `everyMs` after each end, while the page is in front; a failure is the work's own affair. */
export function useEvery(everyMs: number, work: () => Promise<void>, again: readonly unknown[] = []): void {
  const newest = useRef(work);
  newest.current = work;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let hasEnded = false;
    const run = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") await newest.current().catch(() => undefined);
      if (!hasEnded) timer = setTimeout(() => void run(), everyMs);
    };
    const onVisible = (): void => {
      if (document.visibilityState === "visible") void run();
    };
    void run();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      hasEnded = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, again);
}

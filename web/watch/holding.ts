// Holding a button, by finger, mouse or the space bar: one beginning, one end.
import { useEffect, useRef } from "preact/hooks";

interface Held {
  onDown: (at: number) => void;
  /** `ms`: how long it was held. */
  onUp: (ms: number) => void;
  /** A click without a finger, a mouse or a key: a screen reader's. */
  onTap: () => void;
}

const CLICK_AFTER_MS = 500;

/** Returns the handlers of a button that is held. */
export function useHolding({ onDown, onUp, onTap }: Held) {
  const downAt = useRef<number | null>(null);
  const upAt = useRef(-Infinity);
  const down = (at: number): void => {
    if (downAt.current !== null) return;
    downAt.current = at;
    onDown(at);
  };
  const up = (at: number): void => {
    if (downAt.current === null) return;
    const ms = at - downAt.current;
    downAt.current = null;
    upAt.current = at;
    onUp(ms);
  };
  // A window that loses the keyboard hears no key go up.
  const latest = useRef(up);
  latest.current = up;
  useEffect(() => {
    const onBlur = (event: Event): void => latest.current(event.timeStamp);
    addEventListener("blur", onBlur);
    return () => removeEventListener("blur", onBlur);
  }, []);
  const isKey = (event: KeyboardEvent): boolean => event.key === " " || event.key === "Enter";
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      down(event.timeStamp);
    },
    onPointerUp: (event: PointerEvent) => up(event.timeStamp),
    onPointerCancel: (event: PointerEvent) => up(event.timeStamp),
    onKeyDown: (event: KeyboardEvent) => {
      if (!isKey(event)) return;
      event.preventDefault();
      if (!event.repeat) down(event.timeStamp);
    },
    onKeyUp: (event: KeyboardEvent) => {
      if (!isKey(event)) return;
      event.preventDefault();
      up(event.timeStamp);
    },
    onClick: (event: MouseEvent) => {
      if (event.timeStamp - upAt.current > CLICK_AFTER_MS) onTap();
    },
    onContextMenu: (event: MouseEvent) => event.preventDefault(),
  };
}

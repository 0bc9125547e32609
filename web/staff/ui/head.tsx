// The head of a screen: what it is, and what can be done here.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A new screen is read out from its heading; a screen that takes scans keeps the focus in its field. */
export function Head({ title, children, focus = true }: { title: string; children?: ComponentChildren; focus?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header class="head">
      <h1 tabIndex={-1} ref={heading}>{title}</h1>
      {children}
    </header>
  );
}

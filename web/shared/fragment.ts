// What an address asks to begin with. A code is used only on a tap.
export type Begun = { kind: "pair"; code: string } | { kind: "slip"; code: string } | { kind: "wall"; code: string } | null;

/** Reads `/pair#482913`, `/log-in#slip=...` and `/log-in#wall=...`; null for anything else. */
export function readFragment(path: string, fragment: string): Begun {
  let value = fragment.replace(/^#/, "");
  try {
    value = decodeURIComponent(value);
  } catch {
    return null;
  }
  if (!value) return null;
  if (path === "/pair") return { kind: "pair", code: value };
  const [kind, code] = value.split("=", 2);
  return path === "/log-in" && (kind === "slip" || kind === "wall") && code ? { kind, code } : null;
}

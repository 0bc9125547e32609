// Which screen is shown. It lives in the history's state, not in the address: an address may be read over a shoulder.
import { signal } from "@preact/signals";

export type Screen =
  | { name: "home" }
  | { name: "talk" | "place" | "more"; child_id: string }
  | { name: "settings" | "language" | "contacts" | "guardians" | "quiet" | "looks" | "consents" | "phones" | "number" | "help" | "erase" | "pair" | "child" | "way" | "word" | "question"; child_id?: string };

const HOME: Screen = { name: "home" };
export const screen = signal<Screen>((history.state as Screen | null) ?? HOME);

export function go(to: Screen): void {
  history.pushState(to, "");
  show(to);
}

export function back(): void {
  if (history.state && screen.value.name !== "home") history.back();
  else replace(HOME);
}

export function replace(to: Screen): void {
  history.replaceState(to, "");
  show(to);
}

function show(to: Screen): void {
  screen.value = to;
  scrollTo(0, 0);
}

addEventListener("popstate", (event) => {
  screen.value = (event.state as Screen | null) ?? HOME;
});

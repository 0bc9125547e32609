// The short code that a parent reads to the office. docs/phones.md says what each place means.
export const TRIALS = ["record", "play", "keep", "wake", "install"] as const;
export type Trial = (typeof TRIALS)[number];
/** Works, does not, not tried. */
export type Outcome = "yes" | "no" | null;
export type Outcomes = Record<Trial, Outcome>;

const DIGITS = { yes: "1", no: "0" } as const;
// The order matters: most browsers name Chrome and Safari too.
const BROWSERS = [["MicroMessenger/", "M"], ["; wv)", "W"], ["Edg", "E"], ["SamsungBrowser/", "G"], ["Firefox/", "F"], ["FxiOS/", "F"], ["CriOS/", "C"], ["Chrome/", "C"], ["Safari/", "S"]] as const;

/** "11021-C87": record, play, keep, wake and install in this order, then the browser and its version. */
export function shortCode(outcomes: Outcomes, agent: string): string {
  const digits = TRIALS.map((one) => (outcomes[one] === null ? "2" : DIGITS[outcomes[one]])).join("");
  const letter = BROWSERS.find(([word]) => agent.includes(word))?.[1] ?? "X";
  // A browser inside an app names a version of its own first.
  const version = (/(?:Chrome|CriOS|Firefox|FxiOS)\/(\d+)/.exec(agent) ?? /Version\/(\d+)/.exec(agent))?.[1] ?? "0";
  return `${digits}-${letter}${version}`;
}

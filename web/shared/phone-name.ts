// What a phone is called in the list of phones. It comes from the browser and proves nothing.
const BROWSERS = [["EdgA", "Edge"], ["Edg", "Edge"], ["SamsungBrowser", "Samsung"], ["MiuiBrowser", "Mi"], ["Firefox", "Firefox"], ["FxiOS", "Firefox"], ["CriOS", "Chrome"], ["Chrome", "Chrome"], ["Safari", "Safari"]] as const;
const SYSTEMS = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Macintosh", "Mac"], ["CrOS", "Chromebook"], ["Linux", "Linux"]] as const;
const LONGEST = 40;

/** "Redmi 12, Chrome", "iPhone, Safari": the model where the browser tells it, else the kind of device. */
export function phoneName(agent: string, model = ""): string {
  const told = model || (/Android [\d.]+; ([^;)]+?)(?: Build\/[^;)]*)?[;)]/.exec(agent)?.[1] ?? "");
  // Browsers that hide the model write one letter.
  const known = told.length > 1 ? told : SYSTEMS.find(([word]) => agent.includes(word))?.[1] ?? "";
  const browser = BROWSERS.find(([word]) => agent.includes(`${word}/`))?.[1] ?? "";
  return [known, browser].filter(Boolean).join(", ").replace(/[^\p{L}\p{N} ,.()+_-]/gu, "").slice(0, LONGEST).trim();
}

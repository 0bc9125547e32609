// The sentences of the wall in every language at once: a room speaks more than one.

/** By language, then by key. */
export type Words = Record<string, Record<string, string>>;

let words: Words = {};

export function setWords(read: Words): void {
  words = read;
}

/** The sentence of a key in a language, else in English. */
export function sentence(key: string, locale: string, values: Record<string, string> = {}): string {
  const text = words[locale]?.[key] ?? words["en"]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** Host and path of an address, as somebody types them. */
export function pageOf(address: string): string {
  return address.replace(/^https?:\/\//, "").replace(/#.*$/, "");
}

/** Whole minutes until the end; never below zero. */
export function minutesLeft(closesAt: string, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(closesAt) - now) / 60_000));
}

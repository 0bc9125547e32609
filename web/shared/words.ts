// Every sentence, number and time that people read is made here, in their language.
import { signal } from "@preact/signals";
import type en from "../../services/web/locales/en.json";
import type staff from "../../services/web/locales/staff/en.json";
import type watch from "../../services/web/locales/watch/en.json";
import { readBuilt } from "./http.ts";

export const LANGUAGES = [
  ["en", "English"],
  ["zh-Hans", "中文"],
  ["vi", "Tiếng Việt"],
  ["tr", "Türkçe"],
] as const;
export type Locale = (typeof LANGUAGES)[number][0];

/** Each face names keys of its own files only; a test holds that. */
type Stored = keyof typeof en | keyof typeof staff | keyof typeof watch;
/** A key as it is asked for: forms for one and many are chosen by `n`. */
export type Key = Stored extends infer S ? (S extends `${infer Base}#${string}` ? Base : S) : never;
type Values = Record<string, string | number>;

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ug"]);
const UNTOLD = "locale-untold";
let table: Record<string, string> = {};

export const locale = signal<Locale>("en");
/** Whether somebody chose the language on this phone. */
export const isChosen = signal(false);

/** The language chosen on this phone, else the first of the browser's that we have, else English. */
export function fittingLocale(): Locale {
  const chosen = localStorage.getItem("locale");
  if (isLocale(chosen)) {
    isChosen.value = true;
    return chosen;
  }
  for (const asked of navigator.languages ?? [navigator.language]) {
    const found = LANGUAGES.find(([code]) => code.split("-")[0] === asked.split("-")[0]?.toLowerCase());
    if (found) return found[0];
  }
  return "en";
}

type Table = Record<string, string>;
/** Whether the screens of the second part are in use: their words are a file of their own. */
let withLate = false;

export async function useLocale(code: Locale, chosen = false): Promise<void> {
  table = await wordsOf(code);
  locale.value = code;
  document.documentElement.lang = code;
  document.documentElement.dir = RIGHT_TO_LEFT.has(code.split("-")[0] ?? "") ? "rtl" : "ltr";
  if (chosen) {
    localStorage.setItem("locale", code);
    localStorage.setItem(UNTOLD, "1");
    isChosen.value = true;
  }
}

async function wordsOf(code: Locale): Promise<Table> {
  const isLate = withLate;
  const [first, late] = await Promise.all([readBuilt(addressOf("locale", code)), isLate ? readBuilt(addressOf("late", code)) : {}]);
  // The second part came into use meanwhile.
  return isLate === withLate ? { ...(first as Table), ...(late as Table) } : wordsOf(code);
}

/** Reads the words of the second part too, once. */
export async function useLateWords(): Promise<void> {
  if (withLate) return;
  const code = locale.value;
  const late = (await readBuilt(addressOf("late", code))) as Table;
  // Another language was chosen meanwhile.
  if (code !== locale.value) return useLateWords();
  withLate = true;
  table = { ...table, ...late };
}

/** Reads the words in use again and changes nothing: a worker that has just taken over keeps what it sees. */
export function readWordsAgain(): Promise<unknown> {
  return wordsOf(locale.value);
}

/** The language that was chosen here and that the server has not been told yet: text messages come in it too. */
export function untoldLocale(): Locale | null {
  return localStorage.getItem(UNTOLD) ? locale.value : null;
}

export function noteLocaleTold(): void {
  localStorage.removeItem(UNTOLD);
}

function isLocale(code: string | null): code is Locale {
  return LANGUAGES.some(([known]) => known === code);
}

function addressOf(part: "locale" | "late", code: Locale): string {
  return document.querySelector(`meta[name="${part}:${code}"]`)?.getAttribute("content") ?? `/web/${part}.${code}.json`;
}

/** The sentence of a key, with `{name}` replaced; with `n` in the right form for one or many. */
export function t(key: Key, values: Values = {}): string {
  void locale.value;
  const n = values["n"];
  const form = typeof n === "number" ? `${key}#${new Intl.PluralRules(locale.value).select(n) === "one" ? "one" : "other"}` : key;
  const sentence = table[form] ?? table[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? new Intl.NumberFormat(locale.value).format(value) : value;
  });
}

/** The sentence of a problem's code; one that is not known gets the general sentence. */
export function problemSentence(code: string, values: Values = {}): string {
  const key = `problem.${code}`;
  return t((key in table ? key : "problem.unknown") as Key, values);
}

export function has(key: string): boolean {
  return key in table;
}

/** 3 May, without the year where it is this one. */
export function shortDate(at: string, timeZone?: string | null): string {
  const isThisYear = new Date(at).getFullYear() === new Date().getFullYear();
  return format(at, timeZone, { day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }) });
}

/** 12:38, in the time of the place where the child is. */
export function clockTime(at: string, timeZone?: string | null): string {
  return format(at, timeZone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** 12:38:07, in the time of this computer. */
export function secondTime(at_ms: number): string {
  return format(new Date(at_ms).toISOString(), null, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/** Today, yesterday, or the date. */
export function dayName(at: string, timeZone?: string | null): string {
  const day = dayOf(new Date(at), timeZone);
  if (day === dayOf(new Date(), timeZone)) return t("time.today");
  if (day === dayOf(new Date(Date.now() - 86_400_000), timeZone)) return t("time.yesterday");
  return format(at, timeZone, { day: "numeric", month: "long" });
}

export function dateName(at: string): string {
  return format(at.length === 10 ? `${at}T12:00:00Z` : at, null, { day: "numeric", month: "long", year: "numeric" });
}

function dayOf(at: Date, timeZone?: string | null): string {
  return new Intl.DateTimeFormat("en-CA", { ...zone(timeZone), year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

export function isSameDay(a: string, b: string, timeZone?: string | null): boolean {
  return dayOf(new Date(a), timeZone) === dayOf(new Date(b), timeZone);
}

/** "10 min ago", "2 h ago", "3 days ago". */
export function ago(at: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(at)) / 60_000));
  if (minutes < 1) return t("time.now");
  if (minutes < 90) return t("time.minutes_ago", { n: minutes });
  if (minutes < 36 * 60) return t("time.hours_ago", { n: Math.round(minutes / 60) });
  return t("time.days_ago", { n: Math.round(minutes / 1440) });
}

/** 1,234.5 */
export function numberName(value: number, digits = 2): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value);
}

/** 62 % */
export function percentName(value: number): string {
  return new Intl.NumberFormat(locale.value, { style: "percent", maximumFractionDigits: 0 }).format(value);
}

/** The day and the time of an instant as the fields of a form hold them, in a zone: 2026-11-29 and 17:40. */
export function dayTime(at: Date, timeZone: string): { day: string; time: string } {
  const time = new Intl.DateTimeFormat("en-GB", { ...zone(timeZone), hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
  return { day: dayOf(at, timeZone), time };
}

/** The instant of a day and a time in a zone. A time that a change of the clock leaves out is the one an hour later. */
export function instantOf(day: string, time: string, timeZone: string): string {
  const asUtc = Date.parse(`${day}T${time}:00Z`);
  const offset = (at: number): number => {
    const shown = dayTime(new Date(at), timeZone);
    return Date.parse(`${shown.day}T${shown.time}:00Z`) - at + (at % 60_000);
  };
  return new Date(asUtc - offset(asUtc - offset(asUtc))).toISOString();
}

/** 0:07 */
export function lengthOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function format(at: string, timeZone: string | null | undefined, options: Intl.DateTimeFormatOptions): string {
  // English as the programme's countries write it: the day before the month.
  return new Intl.DateTimeFormat(locale.value === "en" ? "en-GB" : locale.value, { ...zone(timeZone), ...options }).format(new Date(at));
}

function zone(timeZone?: string | null): Intl.DateTimeFormatOptions {
  return timeZone ? { timeZone } : {};
}

// Words of two files come into use while the language changes: each order of the answers ends with the words of both.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { locale, readWordsAgain, t, useLateWords, useLocale } from "../../../web/shared/words.ts";

/** Requests that wait for their answer, by address. */
const asked = new Map<string, () => void>();
const stored = new Map<string, string>();
const page = globalThis as unknown as Record<string, unknown>;
page["document"] = { querySelector: () => null, documentElement: {} };
page["localStorage"] = { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) };
page["fetch"] = (address: string) =>
  new Promise((resolve) => asked.set(address, () => resolve(new Response(JSON.stringify(wordsOf(address))))));

function wordsOf(address: string): Record<string, string> {
  const [, part, code] = /web\/(locale|late)\.(.+)\.json/.exec(address) ?? [];
  return part === "locale" ? { "action.back": `back ${code}` } : { "pair.code": `code ${code}` };
}

/** Answers one request, as soon as it is made. */
async function answer(part: string, code: string): Promise<void> {
  const address = `/web/${part}.${code}.json`;
  for (let turn = 0; turn < 1000 && !asked.has(address); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(asked.has(address), `nobody asked for ${address}`);
  asked.get(address)?.();
  asked.delete(address);
}

function isSaid(code: string): void {
  assert.equal(locale.value, code);
  assert.deepEqual([t("action.back"), t("pair.code")], [`back ${code}`, `code ${code}`]);
}

beforeEach(() => asked.clear());

test("words of the second part that arrive while another language is read are of that language", async () => {
  await Promise.all([useLocale("en"), answer("locale", "en")]);
  const chosen = useLocale("vi", true);
  await Promise.all([useLateWords(), answer("late", "en")]);
  await Promise.all([chosen, answer("locale", "vi").then(() => answer("locale", "vi")), answer("late", "vi")]);
  isSaid("vi");
});

test("words that are read again for the worker replace none", async () => {
  await Promise.all([readWordsAgain(), answer("locale", "vi"), answer("late", "vi")]);
  isSaid("vi");
});

test("a language that is chosen brings the words of both parts", async () => {
  await Promise.all([useLocale("tr"), answer("locale", "tr"), answer("late", "tr")]);
  isSaid("tr");
});

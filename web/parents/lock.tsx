// The app lock of a shared phone: a screen that asks for a code. It is no encryption, and says so where it is turned on.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { logOut, standing } from "../shared/session.ts";
import { Button, Field, Form, Problem, Send } from "../shared/ui/parts.tsx";
import { Icon } from "../shared/ui/icon.tsx";
import { t } from "../shared/words.ts";
import { isDueToLock } from "./lock-rules.ts";

const STORED = "lock";
const USED = "used-at";
const NOTE_EVERY_MS = 20_000;
const WAIT_AFTER_TRIES = 5;
const WAIT_MS = 30_000;

export const hasLock = signal(localStorage.getItem(STORED) !== null);
export const isLocked = signal(false);
let usedAt = Number(localStorage.getItem(USED) ?? 0);
let wrong = 0;
let waitsUntil = 0;

function look(): void {
  if (hasLock.value && isDueToLock(usedAt, Date.now())) isLocked.value = true;
}

function noteUse(): void {
  if (!hasLock.value || isLocked.value) return;
  look();
  const now = Date.now();
  if (isLocked.value || now - usedAt < NOTE_EVERY_MS) return;
  usedAt = now;
  localStorage.setItem(USED, String(now));
}

/** Watches for use and for the phone being put away. A code belongs to who is logged in and goes at log-out. */
export function guardByLock(): void {
  look();
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, noteUse, true);
  document.addEventListener("visibilitychange", look);
  setInterval(look, NOTE_EVERY_MS);
  standing.subscribe((now) => {
    if (now === "out") removeLock();
  });
}

export async function setLock(code: string): Promise<void> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  localStorage.setItem(STORED, `${hexOf(salt)}:${await derived(code, salt)}`);
  usedAt = Date.now();
  localStorage.setItem(USED, String(usedAt));
  hasLock.value = true;
}

export function removeLock(): void {
  localStorage.removeItem(STORED);
  localStorage.removeItem(USED);
  hasLock.value = isLocked.value = false;
}

async function opens(code: string): Promise<boolean> {
  const [salt = "", kept = ""] = (localStorage.getItem(STORED) ?? "").split(":");
  const bytes = Uint8Array.from(salt.match(/../g) ?? [], (one) => parseInt(one, 16));
  return (await derived(code, bytes)) === kept;
}

async function derived(code: string, salt: Uint8Array<ArrayBuffer>): Promise<string> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(code), "PBKDF2", false, ["deriveBits"]);
  return hexOf(new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 100_000 }, key, 256)));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

/** Stands in place of the app; a call for help comes through all the same. */
export function LockScreen() {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState("");
  const [isLeaving, setLeaving] = useState(false);
  const send = async (): Promise<void> => {
    if (Date.now() < waitsUntil) return setProblem(t("lock.wait"));
    if (await opens(code)) {
      wrong = 0;
      usedAt = Date.now();
      localStorage.setItem(USED, String(usedAt));
      isLocked.value = false;
      return;
    }
    wrong++;
    if (wrong % WAIT_AFTER_TRIES === 0) waitsUntil = Date.now() + WAIT_MS;
    setCode("");
    setProblem(t("lock.wrong"));
  };
  return (
    <main class="screen door">
      <h1><Icon name="lock" /> {t("lock.title")}</h1>
      <Form onSend={() => void send()}>
        <Field label={t("lock.code")} value={code} onInput={setCode} type="password" inputMode="numeric" autoComplete="off" maxLength={12} />
        {problem && <Problem>{problem}</Problem>}
        <Send disabled={!code}>{t("lock.open")}</Send>
      </Form>
      {isLeaving ? (
        <div class="card stack">
          <p>{t("lock.forgotten_about")}</p>
          <Button onClick={() => setLeaving(false)}>{t("action.no")}</Button>
          <Button kind="bad" onClick={() => void logOut()}>{t("action.log_out")}</Button>
        </div>
      ) : (
        <Button kind="quiet" onClick={() => setLeaving(true)}>{t("lock.forgotten")}</Button>
      )}
    </main>
  );
}

// What the address asked for. In the browser inside another app it is neither used nor wiped: the person will open the
// same address elsewhere, and what such a browser stores is lost.
import { signal } from "@preact/signals";
import { type Begun, readFragment } from "../shared/fragment.ts";

export const begun = signal<Begun>(null);

/** WeChat, QQ, Zalo, Facebook, Instagram. */
const IN_APP = /MicroMessenger|\bQQ\/|Zalo|FBAN|FBAV|Instagram/;

export const isInApp = signal(IN_APP.test(navigator.userAgent));

export function isInstalled(): boolean {
  return matchMedia("(display-mode: standalone)").matches || (navigator as unknown as { standalone?: boolean }).standalone === true;
}

export function isIos(): boolean {
  return /iPhone|iPad|iPod/.test(navigator.userAgent);
}

/** Reads the fragment and wipes it from the address; in a browser inside an app it only reads on `continueHere`. */
export function takeFragment(): void {
  if (isInApp.value) return;
  begun.value = readFragment(location.pathname, location.hash) ?? begun.value;
  if (location.hash || location.pathname !== "/") history.replaceState(history.state, "", "/");
}

export function continueHere(): void {
  isInApp.value = false;
  takeFragment();
}

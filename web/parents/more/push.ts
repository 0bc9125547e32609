// Web Push of this phone: turned on by a tap, and told to the server with the session it belongs to.
import { ask } from "../../shared/api.ts";

export type PushState = "unknown" | "none" | "denied" | "off" | "on";

export async function pushState(): Promise<PushState> {
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis) || !("Notification" in globalThis)) return "none";
  if (Notification.permission === "denied") return "denied";
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ? "on" : "off";
}

/** Asks for permission, subscribes and registers; returns the endpoint's id, or null without permission. */
export async function subscribe(): Promise<string | null> {
  if ((await Notification.requestPermission()) !== "granted") return null;
  const { public_key } = await ask("GET /v1/push-key");
  const registration = await navigator.serviceWorker.ready;
  const found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(public_key) });
  const { endpoint, keys } = found.toJSON();
  const body = { kind: "web_push" as const, address: endpoint ?? "", p256dh: keys?.["p256dh"] ?? "", auth: keys?.["auth"] ?? "" };
  return (await ask("POST /v1/push-endpoints", { body })).endpoint_id;
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

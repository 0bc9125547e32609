// Registers the service worker. The policy returns this one address and no other.
/** `onControl` is called when the worker takes over a page that was loaded without it. */
export function registerWorker(onControl: () => void): void {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("controllerchange", onControl);
  const types = (globalThis as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
  const address = types ? types.createPolicy("worker", { createScriptURL: () => "/sw.js" }).createScriptURL("") : "/sw.js";
  navigator.serviceWorker.register(address as string).catch(() => undefined);
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(of: string): unknown };
}

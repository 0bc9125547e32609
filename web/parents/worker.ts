// Registers the service worker. The policy returns this one address and no other.
/** `onControl` is called when the worker takes over a page that was loaded without it, `onUpdate` when a newer one does. */
export function registerWorker(onControl: () => void, onUpdate: () => void): void {
  if (!("serviceWorker" in navigator)) return;
  let isControlled = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (isControlled) onUpdate();
    else onControl();
    isControlled = true;
  });
  const types = (globalThis as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
  const address = types ? types.createPolicy("worker", { createScriptURL: () => "/sw.js" }).createScriptURL("") : "/sw.js";
  navigator.serviceWorker.register(address as string).catch(() => undefined);
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(of: string): unknown };
}

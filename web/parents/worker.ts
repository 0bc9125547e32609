// Registers the service worker. The policy returns this one address and no other.
export function registerWorker(): void {
  if (!("serviceWorker" in navigator)) return;
  const types = (globalThis as unknown as { trustedTypes?: TrustedTypes }).trustedTypes;
  const address = types ? types.createPolicy("worker", { createScriptURL: () => "/sw.js" }).createScriptURL("") : "/sw.js";
  navigator.serviceWorker.register(address as string).catch(() => undefined);
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(of: string): unknown };
}

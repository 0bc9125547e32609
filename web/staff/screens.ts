// Every screen of the console, in the order of the navigation: one line each. A screen is fetched when it is opened.
import type { ComponentType } from "preact";
import type { IconName } from "../shared/ui/icon.tsx";
import type { Key } from "../shared/words.ts";

/** What a role may do; the names are those of the API (services/api/staff/access.py). */
export type Permission =
  | "see structure"
  | "manage accounts"
  | "approve accounts"
  | "see devices"
  | "hand out"
  | "see family codes"
  | "recover accounts"
  | "break glass"
  | "settle contests"
  | "export aggregates"
  | "support families"
  | "see survey reports"
  | "manage structure"
  | "register watches";

export interface Entry {
  /** In the address: `/staff#/site/name`. */
  name: string;
  title: Key;
  icon: IconName;
  /** Shown to roles with at least one of these; empty: to everybody. */
  needs: Permission[];
  load: () => Promise<{ Screen: ComponentType }>;
}

export const SCREENS: Entry[] = [
  { name: "today", title: "today.title", icon: "bell", needs: ["see devices", "support families", "recover accounts"], load: () => import("./today/today.tsx") },
  { name: "handout", title: "handout.title", icon: "hand", needs: ["hand out"], load: () => import("./handout/handout.tsx") },
  { name: "families", title: "families.title", icon: "family", needs: ["see family codes"], load: () => import("./families/families.tsx") },
  { name: "watches", title: "watches.title", icon: "watch", needs: ["see devices"], load: () => import("./watches/watches.tsx") },
  { name: "lists", title: "lists.title", icon: "paper", needs: ["see family codes", "register watches", "hand out"], load: () => import("./lists/lists.tsx") },
  { name: "usage", title: "usage.title", icon: "heard", needs: ["export aggregates"], load: () => import("./usage/usage.tsx") },
  { name: "files", title: "files.title", icon: "paper", needs: ["export aggregates"], load: () => import("./files/files.tsx") },
  { name: "surveys", title: "surveys.title", icon: "pen", needs: ["see survey reports"], load: () => import("./surveys/surveys.tsx") },
  { name: "care", title: "care.title", icon: "hand", needs: ["support families", "recover accounts", "break glass", "settle contests"], load: () => import("./care/care.tsx") },
  { name: "colleagues", title: "colleagues.title", icon: "child", needs: ["manage accounts", "approve accounts"], load: () => import("./colleagues/colleagues.tsx") },
  { name: "programme", title: "programme.title", icon: "place", needs: ["manage structure"], load: () => import("./programme/programme.tsx") },
  { name: "account", title: "account.title", icon: "lock", needs: [], load: () => import("./account/account.tsx") },
];

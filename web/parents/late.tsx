// The screens that come after the first load: they are fetched when one of them is opened, and kept for offline.
export { More } from "./more/more.tsx";
export { Settings } from "./more/settings.tsx";
export { Place } from "./place/place.tsx";

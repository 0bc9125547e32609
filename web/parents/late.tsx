// The screens beside the talking: they are fetched when one of them is opened, and kept for a start without a network.
export { More } from "./more/more.tsx";
export { Settings } from "./more/settings.tsx";
export { Place } from "./place/place.tsx";

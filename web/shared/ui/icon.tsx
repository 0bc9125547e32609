// Drawn here: a font of icons would be another request, and each icon stands beside its word.
const PATHS = {
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  menu: "M4 7h16M4 12h16M4 17h16",
  mic: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 12a6 6 0 0 0 12 0M12 18v3",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  send: "M4 12l16-8-6 16-3-6z",
  pen: "M5 19l1-4L16 5l3 3L9 18z",
  cross: "M6 6l12 12M18 6L6 18",
  hand: "M7 13V7a1.5 1.5 0 0 1 3 0v4V5a1.5 1.5 0 0 1 3 0v6V6a1.5 1.5 0 0 1 3 0v8a6 6 0 0 1-6 6c-3 0-5-3-6-6 0-2 2-2 3-1z",
  wait: "M12 7v5l3 3M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  way: "M4 12h12M12 7l5 5-5 5",
  watch: "M8 6h8v12H8zM9 6l1-3h4l1 3M9 18l1 3h4l1-3",
  heard: "M4 10v4h4l5 4V6L8 10zM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11",
  bad: "M12 4l9 16H3zM12 10v4M12 17v.5",
  good: "M5 13l4 4L19 7",
  place: "M12 21s7-6 7-11a7 7 0 0 0-14 0c0 5 7 11 7 11zM12 8a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  phone: "M6 4h4l1 5-2 1a10 10 0 0 0 5 5l1-2 5 1v4c-8 2-16-6-14-14z",
  bell: "M6 17V11a6 6 0 0 1 12 0v6zM4 17h16M10 20h4",
  child: "M12 4a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7zM5 20c0-4 3-6 7-6s7 2 7 6",
  family: "M8 6a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5zM16 6a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5zM3 19c0-3 2-5 5-5s5 2 5 5M11 19c0-3 2-5 5-5s5 2 5 5",
  eye: "M3 12s3-6 9-6 9 6 9 6-3 6-9 6-9-6-9-6zM12 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  paper: "M6 3h9l3 3v15H6zM9 9h6M9 13h6M9 17h4",
  moon: "M18 15A8 8 0 0 1 9 4a8 8 0 1 0 9 11z",
  help: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.4-1 .9-1 1.700M12 17v.5",
  bin: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  word: "M4 6h10M9 6v-2M6 6c0 4 3 7 6 8M12 6c0 4-3 7-7 8M12 20l4-10 4 10M13.500 17h5",
  smile: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM8 14c2 3 6 3 8 0M9 9v.5M15 9v.5",
  lock: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

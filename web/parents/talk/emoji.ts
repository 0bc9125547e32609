// The emoji that watches can draw, by their words in the contract.
export const EMOJI: Record<string, string> = {
  heart: "❤️", smile: "😊", laugh: "😂", hug: "🤗", kiss: "😘", star: "⭐", thumbs_up: "👍", clap: "👏", wave: "👋", ok: "👌",
  sad: "😢", angry: "😠", surprised: "😮", sleepy: "😴", sick: "🤒", moon: "🌙", sun: "☀️", rainbow: "🌈", flower: "🌸",
  cake: "🎂", rice: "🍚", ball: "⚽", gift: "🎁", book: "📖", school: "🏫", home: "🏠", cat: "🐱", dog: "🐶",
};

// Builds the pages into services/web/built: `node build.ts [folder]`. The same sources give the same bytes.
import { build, type Plugin } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { ZXING_CPP_COMMIT } from "zxing-wasm/reader";

interface Output {
  inputs: Record<string, unknown>;
  imports: Array<{ path: string; kind: string }>;
  entryPoint?: string;
}

const FIRST = "parents/main.tsx";
const CONTENTS = "contents.txt";
const here = import.meta.dirname;
const APACHE = join(here, "..", "services", "api", "documents", "swagger_ui", "LICENSE");
const locales = join(here, "..", "services", "web", "locales");
const target = process.argv[2] ?? join(here, "..", "services", "web", "built");

const ofWatch = join(target, "watch");

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const shared = {
  absWorkingDir: here,
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  // The oldest browsers that the project promises: Android WebView 87, Safari 14.1.
  target: ["chrome87", "safari14.1"],
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
} as const;
const parents = await build({
  ...shared,
  entryPoints: { parents: FIRST },
  metafile: true,
  // The later parts are fetched when they are needed; what parts share is in files of their own.
  splitting: true,
  chunkNames: "chunk-[hash]",
  write: false,
});
writeNamed(parents, "parents");
// The decoder's own default is an address elsewhere, which no page may ask.
const ownAddress: Plugin = {
  name: "own-address",
  setup: (made) => made.onLoad({ filter: /zxing-wasm.*share\.js$/ }, ({ path }) => ({ contents: readFileSync(path, "utf8").replace(/https:\/\/[^`"']+/g, "/web/") })),
};
const staff = await build({ ...shared, entryPoints: { staff: "staff/main.tsx" }, plugins: [ownAddress], metafile: true, splitting: true, chunkNames: "chunk-[hash]", write: false });
writeNamed(staff, "staff");
const check = await build({ ...shared, entryPoints: { check: "parents/check/main.tsx" }, metafile: true });
const others = [
  check,
  await build({ ...shared, entryPoints: { sw: "parents/sw.ts" }, metafile: true }),
  await build({ ...shared, entryPoints: { wall: "wall/main.tsx" }, metafile: true }),
// The watch on the screen is served by the simulator, which reads its folder and knows nothing of the others.
  await build({ ...shared, outdir: ofWatch, entryPoints: { watch: "watch/main.tsx" }, metafile: true }),
  await build({ ...shared, outdir: ofWatch, entryPoints: { watch: "watch/watch.css" }, metafile: true }),
  await build({ ...shared, entryPoints: { parents: "parents/parents.css", staff: "staff/staff.css", wall: "wall/wall.css" }, metafile: true }),
];
copyFileSync(join(here, "watch", "static", "watch.html"), join(ofWatch, "watch.html"));
copyFileSync(join(here, "parents", "static", "icon.svg"), join(ofWatch, "icon.svg"));
copyFileSync(join(here, "wall", "static", "wall.html"), join(target, "wall.html"));
copyFileSync(join(here, "staff", "static", "staff.html"), join(target, "staff.html"));
copyFileSync(join(here, "node_modules", "zxing-wasm", "dist", "reader", "zxing_reader.wasm"), join(target, "zxing_reader.wasm"));
for (const name of ["parents.html", "check.html", "manifest.webmanifest", "icon.svg", "icon-192.png", "icon-512.png"]) {
  copyFileSync(join(here, "parents", "static", name), join(target, name));
}
// What only the later screens are refused with.
const OF_LATER_SCREENS =
  /^problem\.(agreement|already_guardian|birth|busy|child_|command|confirmation|contact|contest|day_|erasures|export|family|invitation|last_m|location|notice|number|pairing|pin_ref|primary|push|quiet|relation|right_not|site|zone)/;
const isSaidFirst = keysOf(parents.metafile.outputs, (path) => partsWith(path, parents.metafile.outputs).includes("parents"));
const isFirst = (key: string): boolean => isSaidFirst(key) && !OF_LATER_SCREENS.test(key);
const isOfCheck = keysOf(check.metafile.outputs, () => true);
const ofWall: Record<string, Record<string, string>> = {};
const isOfStaff = keysOf(staff.metafile.outputs, () => true);
for (const name of readdirSync(locales).filter((one) => one.endsWith(".json")).sort()) {
  const words = wordsOf(join(locales, name));
  const write = (part: string, isOf: (key: string) => boolean): void =>
    writeFileSync(join(target, `${part}.${name}`), JSON.stringify(Object.fromEntries(words.filter(([key]) => isOf(key)))));
  write("locale", isFirst);
  write("late", (key) => !isFirst(key) && !key.startsWith("check_phone."));
  write("check", isOfCheck);
  writeFileSync(join(ofWatch, `locale.${name}`), JSON.stringify(Object.fromEntries(wordsOf(join(locales, "watch", name)))));
  // The console's own words, and those of the parents' app that it says too; a sentence of its own replaces theirs.
  const ofStaff = wordsOf(join(locales, "staff", name));
  ofWall[basename(name, ".json")] = Object.fromEntries(ofStaff.filter(([key]) => key.startsWith("wall.")));
  const own = Object.fromEntries(ofStaff.filter(([key]) => !key.startsWith("wall.")));
  const common = Object.fromEntries(words.filter(([key]) => isOfStaff(key)));
  writeFileSync(join(target, `staff.${name}`), JSON.stringify({ ...common, ...own }));
}

// The wall speaks every language at once.
writeFileSync(join(target, "wall.json"), JSON.stringify(ofWall));
writeFileSync(join(target, CONTENTS), contents());

/** What the built files are: the digest of each, and the packages in them with version, licence and its text. */
function contents(): string {
  const users = new Map<string, Set<string>>([["zxing-wasm", new Set(["zxing_reader.wasm"])]]);
  const note = (made: { metafile: { outputs: Record<string, Output> } }, called: (path: string) => string): void => {
    for (const [path, { inputs }] of Object.entries(made.metafile.outputs))
      for (const input of Object.keys(inputs)) {
        const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
        if (name) users.set(name, (users.get(name) ?? new Set()).add(called(path)));
      }
  };
  note(parents, (path) => nameOf(path, parents.metafile.outputs, "parents"));
  note(staff, (path) => nameOf(path, staff.metafile.outputs, "staff"));
  for (const made of others) note(made, (path) => relative(target, join(here, path)));
  const files = readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(target, join(file.parentPath, file.name)))
    .sort()
    .map((name) => `${createHash("sha256").update(readFileSync(join(target, name))).digest("hex")}  ${name}`);
  const packages = [...users].sort().map(([name, of]) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
    const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();
    return `${name} ${version}, ${license}\nin: ${[...of].sort().join(", ")}\n\n${text}`;
  });
  return [
    "Built from web/ by `make web`, AGPL-3.0-or-later. Digests are SHA-256, for `sha256sum --check`; texts of licences follow.",
    files.join("\n"),
    ...packages,
    // The decoder is compiled from sources of another project.
    `ZXing-C++ ${ZXING_CPP_COMMIT}, Apache-2.0\nin: zxing_reader.wasm\n\n${readFileSync(APACHE, "utf8").trim()}`,
  ].join("\n\n").concat("\n");
}

function wordsOf(file: string): Array<[string, string]> {
  return Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, string>);
}

/** The parts, by their first sources, that need this file. */
function partsWith(path: string, outputs: Record<string, Output>, face = "parents"): string[] {
  const own = outputs[path]?.entryPoint;
  if (own) return [basename(own).replace(/\.tsx?$/, "").replace("main", face)];
  const users = Object.keys(outputs).filter((user) => outputs[user]?.imports.some((one) => one.path === path && one.kind === "import-statement"));
  return [...new Set(users.flatMap((user) => partsWith(user, outputs, face)))].sort();
}

/** A part is called after its first source, a shared file after the parts that need it. */
function nameOf(path: string, outputs: Record<string, Output>, face: string): string {
  if (!path.endsWith(".js")) return basename(path);
  const parts = partsWith(path, outputs, face);
  if (face === "parents") return `${parts.join("-")}.js`;
  // Screens of the console come and go: what they share with the first part has one name.
  const others = parts.filter((part) => part !== face);
  return others.length === parts.length || parts.length === 1 ? `${[face, ...others].join("-")}.js` : `${face}-common.js`;
}

/** Writes the parts under stable names, for readable changes. */
function writeNamed(made: { outputFiles: Array<{ path: string; text: string }>; metafile: { outputs: Record<string, Output> } }, face: string): void {
  const { outputs } = made.metafile;
  const names = Object.keys(outputs).map((path) => [basename(path), nameOf(path, outputs, face)] as const);
  const twice = names.filter(([, name], at) => names.findIndex(([, other]) => other === name) !== at);
  if (twice.length > 0) throw new Error(`two parts are called ${twice[0]?.[1]}: a screen of the console imports from kit.ts`);
  for (const file of made.outputFiles) {
    const text = names.reduce((all, [from, to]) => all.replaceAll(`./${from}`, `./${to}`), file.text);
    writeFileSync(join(target, names.find(([from]) => from === basename(file.path))?.[1] ?? basename(file.path)), text);
  }
}

/** Tells which keys some of the built files say: those named in a source of them, whole or by their beginning. */
function keysOf(outputs: Record<string, Pick<Output, "inputs">>, isMeant: (output: string) => boolean): (key: string) => boolean {
  const names = Object.entries(outputs).filter(([output]) => isMeant(output)).flatMap(([, one]) => Object.keys(one.inputs));
  const source = names.filter((name) => !name.includes("node_modules")).map((name) => readFileSync(join(here, name), "utf8")).join("\n");
  const keys = new Set([...source.matchAll(/"([a-z_]+\.[\w.]+)"/g)].map((found) => found[1]));
  const beginnings = [...source.matchAll(/`([a-z_]+\.\w*)\$\{/g)].map((found) => found[1] ?? "");
  return (key) => keys.has(key.split("#")[0]) || beginnings.some((one) => key.startsWith(one));
}

// Builds the pages into services/web/built: `node build.ts [folder]`. The same sources give the same bytes.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const locales = join(here, "..", "services", "web", "locales");
const target = process.argv[2] ?? join(here, "..", "services", "web", "built");

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
await build({
  ...shared,
  entryPoints: { parents: "parents/main.tsx" },
  // The second part is fetched late; what both parts use is a file of its own. Names are stable, for readable changes.
  splitting: true,
  chunkNames: "[name]",
});
await build({ ...shared, entryPoints: { sw: "parents/sw.ts" } });
await build({ ...shared, entryPoints: { parents: "parents/parents.css" } });
for (const name of ["parents.html", "manifest.webmanifest", "icon.svg", "icon-192.png", "icon-512.png"]) {
  copyFileSync(join(here, "parents", "static", name), join(target, name));
}
for (const name of readdirSync(locales).sort()) {
  const words: unknown = JSON.parse(readFileSync(join(locales, name), "utf8"));
  writeFileSync(join(target, `locale.${name}`), JSON.stringify(words));
}

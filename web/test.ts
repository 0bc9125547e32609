// Runs the unit tests of the pure files: `node test.ts`. They are bundled first, as the pages are.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const tests = join(here, "..", "tests", "web", "unit");
const folder = mkdtempSync(join(tmpdir(), "smartwatch-web-"));
await build({
  absWorkingDir: here,
  entryPoints: readdirSync(tests).filter((name) => name.endsWith(".test.ts")).map((name) => join(tests, name)),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  nodePaths: [join(here, "node_modules")],
  logLevel: "warning",
});
const done = spawnSync(process.execPath, ["--test", ...readdirSync(folder).map((name) => join(folder, name))], { stdio: "inherit" });
rmSync(folder, { recursive: true });
process.exit(done.status ?? 1);

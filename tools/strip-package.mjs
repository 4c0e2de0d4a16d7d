#!/usr/bin/env node
// Writes the server as plain JavaScript for `npm pack`, because Node strips no types under node_modules:
//   node tools/strip-package.mjs [folder]     src/**/*.ts → folder (dist), tests left out
//   node tools/strip-package.mjs --clean      removes dist again, so that the checkout runs its sources
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src");
const target = resolve(process.argv[2] && process.argv[2] !== "--clean" ? process.argv[2] : join(root, "dist"));

/** Relative paths of modules in the text, be they imported, imported lazily or made into a URL. */
const modulePath = /(["'`])(\.{1,2}\/[^"'`\n]*)\.ts\1/g;

function stripFile(file) {
  const from = join(source, file);
  const to = join(target, file);
  mkdirSync(dirname(to), { recursive: true });
  if (!file.endsWith(".ts")) return cpSync(from, to);
  // Types become blanks, so lines and columns of a stack trace are those of the source.
  const text = stripTypeScriptTypes(readFileSync(from, "utf8"));
  writeFileSync(to.replace(/\.ts$/, ".js"), text.replace(modulePath, "$1$2.js$1"));
}

rmSync(target, { recursive: true, force: true });
if (process.argv[2] !== "--clean") {
  const left = (file) => /\.(test|d)\.ts$|^testing\/|\/fixtures\//.test(file);
  const files = globSync("**/*.{ts,sql,json}", { cwd: source }).filter((file) => !left(file));
  for (const file of files) stripFile(file);
  console.log(`${files.length} files written to ${target}`);
}

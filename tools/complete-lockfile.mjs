// Adds the platform packages that `npm install` left out of package-lock.json because the registry at hand does not carry
// them: `npm ci` insists on an entry for every optional dependency, also for those of other platforms, which it never fetches.
// Run after `npm install`: node tools/complete-lockfile.mjs
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "openbsd", "netbsd", "openharmony", "sunos", "aix", "win32", "windows", "wasm32"];
const processors = ["arm64", "x64", "ia32", "x86", "arm", "ppc64", "riscv64", "s390x", "loong64", "mips64el"];

/** Where the entry of a dependency of the package at `from` would stand, nearest first. */
function* places(from, name) {
  for (let at = from; ; at = at.replace(/\/?(node_modules\/(@[^/]+\/)?[^/]+)$/, "")) {
    yield `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (at === "") return;
  }
}

/** What a package of this name runs on. One whose name says nothing is for a platform that nobody has. */
function platformOf(name) {
  const words = name.split(/[/\-_.]/);
  const system = systems.find((one) => words.some((word) => word.startsWith(one)));
  const cpu = processors.filter((one) => words.some((word) => word === one || (one === "arm" && /^arm(v\d|eabi)?/.test(word) && word !== "arm64")));
  return { os: [system === "windows" ? "win32" : (system ?? "none")], ...(cpu.length > 0 && { cpu: cpu.slice(0, 1) }) };
}

let added = 0;
for (const [from, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if ([...places(from, name)].some((place) => lock.packages[place])) continue;
    const version = range.replace(/^[~^]/, "");
    lock.packages[`node_modules/${name}`] = { version, ...(entry.dev && { dev: true }), optional: true, ...platformOf(name) };
    added++;
  }
}
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
console.log(`${added} entries added`);

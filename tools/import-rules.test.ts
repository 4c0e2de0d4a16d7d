import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const depcruise = join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");

interface Report {
  modules: { source: string }[];
  summary: { violations: { from: string; rule: { name: string } }[] };
}

/** A house in which every rule is kept, and everything a rule might wrongly forbid is done once. */
const house: Record<string, string> = {
  "package.json": `{ "type": "module" }`,
  "node_modules/pg/package.json": `{ "name": "pg", "type": "module", "main": "index.js" }`,
  "node_modules/pg/index.js": `export const Pool = 1;`,
  "src/bin/cli.ts": `import "./commands/start.ts";`,
  "src/bin/commands/start.ts": `import "../../pipeline.ts"; import "../../http/app.ts"; import "../../stores/postgres/connect.ts";`,
  "src/pipeline.ts": `import "./1-ingest/index.ts"; import "./6-activate/index.ts";`,
  "src/http/app.ts": `import "../access/index.ts";`,
  "src/contracts/event.ts": `export interface Event { id: string }`,
  "src/core/clock.ts": `import "node:crypto"; import type { Event } from "../contracts/event.ts"; export const now = (event: Event) => event.id;`,
  "src/core/clock.test.ts": `import "./clock.ts"; import "../testing/fake-clock.ts"; import "node:fs";`,
  "src/testing/fake-clock.ts": `import "../1-ingest/index.ts"; import "../bin/cli.ts"; export const fake = 1;`,
  "src/stores/postgres/connect.ts": `import { Pool } from "pg"; import "../../core/clock.ts"; export const pool = Pool;`,
  "src/1-ingest/surfaces/index.ts": `import "./web.ts"; import "./webhook.ts"; export const surfaces = 1;`,
  "src/1-ingest/index.ts": `import "./steps/accept.ts"; import "./surfaces/index.ts"; export const ingest = 1;`,
  "src/1-ingest/steps/accept.ts": `import "../../core/clock.ts"; export const accept = 1;`,
  "src/1-ingest/steps/accept.test.ts": `import "../surfaces/web.ts"; import "../../testing/fake-clock.ts"; import "../../http/app.ts";`,
  "src/1-ingest/surfaces/web.ts": `import "../steps/accept.ts"; export const web = 1;`,
  "src/1-ingest/surfaces/web.test.ts": `import "./web.ts"; import "./webhook.ts"; import "node:fs";`,
  "src/1-ingest/surfaces/webhook.ts": `export const webhook = 1;`,
  "src/6-activate/index.ts": `import type { Db } from "../stores/postgres/connect-type.ts"; export type D = Db;`,
  "src/stores/postgres/connect-type.ts": `export type Db = 1;`,
  "src/access/index.ts": `export type Key = 1; export const access = 1;`,
};

/** One broken rule each: what it is called, the file that breaks it, and how. */
const plants: [rule: string, file: string, text: string][] = [
  ["a-room-imports-no-other-room", "src/1-ingest/steps/a.ts", `import "../../6-activate/index.ts";`],
  ["a-room-imports-no-other-room", "src/1-ingest/steps/b.ts", `import type { Key } from "../../access/index.ts"; export type K = Key;`],
  ["a-room-imports-no-other-room", "src/access/steps/c.test.ts", `import "../../1-ingest/index.ts";`],
  ["a-room-is-entered-by-its-front-door", "src/http/d.ts", `import "../1-ingest/steps/accept.ts";`],
  ["a-room-is-entered-by-its-front-door", "src/bin/commands/e.ts", `import "../../1-ingest/steps/accept.ts";`],
  ["a-room-is-entered-by-its-front-door", "src/testing/f.ts", `import "../1-ingest/steps/accept.ts";`],
  ["a-room-knows-neither-the-app-nor-the-pipeline", "src/6-activate/g.ts", `import "../pipeline.ts";`],
  ["a-room-knows-neither-the-app-nor-the-pipeline", "src/6-activate/h.ts", `import "../http/app.ts";`],
  ["a-plug-in-imports-no-other-plug-in", "src/1-ingest/surfaces/mail.ts", `import "./webhook.ts";`],
  ["a-plug-in-imports-no-other-plug-in", "src/1-ingest/surfaces/webho.ts", `import "./webhook.ts";`],
  ["a-plug-in-imports-no-other-plug-in", "src/1-ingest/surfaces/all.ts", `import "./index.ts";`],
  ["a-plug-in-does-no-io-of-its-own", "src/3-resolve/rules/store.ts", `import "../../stores/postgres/connect.ts";`],
  ["a-plug-in-does-no-io-of-its-own", "src/6-activate/destinations/net.ts", `import { request } from "node:https"; export const r = request;`],
  ["a-plug-in-does-no-io-of-its-own", "src/5-segment/operators/file.ts", `import { readFile } from "fs/promises"; export const r = readFile;`],
  ["core-imports-only-core-and-contracts", "src/core/i.ts", `import type { Db } from "../stores/postgres/connect-type.ts"; export type D = Db;`],
  ["core-does-no-io", "src/core/j.ts", `import { readFileSync } from "node:fs"; export const r = readFileSync;`],
  ["contracts-import-only-contracts", "src/contracts/k.ts", `import type { now } from "../core/clock.ts"; export type N = typeof now;`],
  ["stores-know-no-room", "src/stores/log/l.ts", `import type { Key } from "../../access/index.ts"; export type K = Key;`],
  ["database-drivers-live-in-stores", "src/4-profile/m.ts", `import type { Pool } from "pg"; export type P = typeof Pool;`],
  ["database-drivers-live-in-stores", "src/bin/n.ts", `export const pg = await import("pg");`],
  ["only-bin-imports-bin", "src/http/o.ts", `import "../bin/cli.ts";`],
  ["production-code-imports-no-test", "src/2-window/p.ts", `import type { fake } from "../testing/fake-clock.ts"; export type F = typeof fake;`],
  ["production-code-imports-no-test", "src/1-ingest/q.ts", `import "./steps/accept.test.ts";`],
  ["no-cycle", "src/core/r.ts", `import type { S } from "./s.ts"; export type R = S;`],
  ["every-file-is-reached-from-bin", "src/privacy/t.ts", `export const forgotten = 1;`],
  ["no-unresolvable-import", "src/enrich/u.ts", `import "./nowhere.ts";`],
];

/** The other half of the planted cycle, which is reported for one of its files only. */
const plantedPartner = { "src/core/s.ts": `import type { R } from "./r.ts"; export type S = R;` };

describe("import rules", () => {
  const made: string[] = [];
  afterEach(() => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
  });

  function build(files: Record<string, string>): string {
    const folder = mkdtempSync(join(tmpdir(), "import-rules-"));
    made.push(folder);
    for (const name of [".dependency-cruiser.cjs", "tsconfig.json"]) cpSync(join(root, name), join(folder, name));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  it("let a house through that keeps them", () => {
    expect(violations(cruise(build(house)))).toEqual([]);
  });

  it("catch a violation of each, type-only imports included", () => {
    const planted = Object.fromEntries(plants.map(([, file, text]) => [file, text]));
    const found = violations(cruise(build({ ...house, ...planted, ...plantedPartner })));
    expect(plants.map(([rule, file]) => `${rule}: ${file}`).filter((line) => !found.includes(line))).toEqual([]);
  });

  it("have a planted violation each", async () => {
    const config: { default: { forbidden: { name: string }[] } } = await import(join(root, ".dependency-cruiser.cjs"));
    expect(config.default.forbidden.map(({ name }) => name)).toEqual([...new Set(plants.map(([rule]) => rule))]);
  });

  // With a TypeScript it does not know the cruiser reads no file, and passes.
  it("are applied to every file of src", () => {
    const files = globSync("src/**/*.ts", { cwd: root });
    const read = new Set(cruise(root).modules.map(({ source }) => source));
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !read.has(file))).toEqual([]);
  });
});

function cruise(folder: string): Report {
  const args = [depcruise, "--config", ".dependency-cruiser.cjs", "--output-type", "json", "src"];
  const json = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  return JSON.parse(json) as Report;
}

function violations(report: Report): string[] {
  return [...new Set(report.summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`))].sort();
}

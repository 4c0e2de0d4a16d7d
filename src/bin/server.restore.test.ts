import { hash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listBackups, type StoredBackup } from "../backup/index.ts";
import type { Manifest } from "../contracts/backup.ts";
import { clonePostgres } from "../testing/postgres-clone.ts";
import { runCommand } from "../testing/run-command.ts";
import { createClient, untilProcessed } from "../testing/server-client.ts";
import { adminKey, createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";

let root: string;
let server: ServerProcess;
let env: Record<string, string>;
/** A full backup and one that builds on it, to be copied and spoilt. */
let made: StoredBackup[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "restores-"));
  server = await createServerProcess();
  await server.start();
  env = { TRIBUTARY_URL: server.url, TRIBUTARY_API_KEY: adminKey, DATA_DIR: server.dataDir };
  for (const n of [1, 2]) {
    await createClient(server.url).post("/api/cdp/events", { type: "Met", userId: `u${n}` });
    await untilProcessed(server);
    const { code, output } = await runCommand(["backup", join(root, "made"), "--keys", join(root, "keys")], env);
    expect({ code, output }).toMatchObject({ code: 0 });
  }
  made = await listBackups(join(root, "made"));
});
afterAll(async () => {
  await server.remove();
  await rm(root, { recursive: true });
});

let dir: string;
let target: string;
let backup: string;
beforeEach(async () => {
  dir = await mkdtemp(join(root, "case-"));
  await cp(join(root, "made"), join(dir, "made"), { recursive: true });
  target = join(dir, "target");
  backup = join(dir, "made", basename(made[1]?.path ?? ""));
});

const restore = (...flags: string[]) => runCommand(["restore", backup, "--keys", join(root, "keys"), ...flags], { DATA_DIR: target });

/** Changes the manifest and its checksum, as another release would have written it. */
async function rewriteManifest(change: (manifest: Manifest) => object): Promise<void> {
  const path = join(backup, "manifest.json");
  const text = await readFile(path, "utf8");
  const changed = JSON.stringify({ ...JSON.parse(text) as Manifest, ...change(JSON.parse(text) as Manifest) });
  const sums = await readFile(join(backup, "SHA256SUMS"), "utf8");
  await writeFile(path, changed);
  await writeFile(join(backup, "SHA256SUMS"), sums.replace(hash("sha256", text), hash("sha256", changed)));
}

test.each<[what: string, spoil: () => Promise<unknown>, said: RegExp]>([
  ["a file that was changed", () => writeFile(join(backup, "state/tenant-000001.tsv.zst"), "x"), /state\/tenant-000001.tsv.zst is damaged/],
  ["a file of the earlier backup that is missing", () => rm(join(dir, "made", basename(made[0]?.path ?? ""), "events/events-000001.tsv.zst")), /events-000001.tsv.zst is missing/],
  ["a manifest that was changed", () => writeFile(join(backup, "manifest.json"), "{}"), /manifest.json is damaged/],
  ["an earlier backup that is missing", () => rm(join(dir, "made", basename(made[0]?.path ?? "")), { recursive: true }), /builds on the backup .* not in the same directory/],
  ["a backup that was not finished", async () => {
    await rename(backup, `${backup}.unfinished`);
    backup = `${backup}.unfinished`;
  }, /was not finished/],
  ["a directory that is no backup", async () => (backup = dir), /is no finished backup/],
  ["a newer schema", () => rewriteManifest(({ migrations }) => ({ migrations: { ...migrations, postgres: [...migrations.postgres, { version: 999_999, name: "later", checksum: "" }] } })), /newer Tributary/],
  ["a newer format", () => rewriteManifest(() => ({ format: 2 })), /has the format 2; this release knows 1/],
  ["another pepper", async () => {
    await mkdir(join(target, "secrets"), { recursive: true });
    await writeFile(join(target, "secrets/pepper"), "0".repeat(64));
  }, /pepper .* is not the one/],
  ["a target that is not empty", async () => {
    await mkdir(target);
    await writeFile(join(target, "something"), "");
  }, /is not empty: it has something/],
])("%s is refused with a sentence, and nothing is written", async (what, spoil, said) => {
  await spoil();
  const before = existsSync(target) ? (await readdir(target)).sort() : [];
  const keys = what === "another pepper" ? [] : ["--keys", join(root, "keys")];
  const { code, output } = await runCommand(["restore", backup, ...keys], { DATA_DIR: target });
  expect(output).toMatch(said);
  expect(output).not.toContain("    at ");
  expect(code).toBe(1);
  expect(existsSync(target) ? (await readdir(target)).sort() : []).toEqual(before);
});

test("a restore that was killed half-way starts no server, and is not continued", async () => {
  const half = await createServerProcess();
  try {
    target = half.dataDir;
    const ended = await runCommand(["restore", backup, "--keys", join(root, "keys")], { DATA_DIR: target }, (child) => {
      void until("the restore has begun", () => existsSync(join(target, "restoring"))).then(() => child.kill("SIGKILL"));
    });
    expect(ended.code).toBeNull();
    const start = await half.runToEnd();
    expect(start.output).toContain("did not come to its end");
    expect(start.code).toBe(1);
    expect((await restore()).output).toMatch(/is not empty \(of a restore that did not come to its end\)/);
  } finally {
    await half.remove();
  }
});

test("whoever stops to read a backup does not keep the server from the next one", async () => {
  const request = { method: "POST", headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" }, body: "{}" };
  const stop = new AbortController();
  const { body } = await fetch(`${server.url}/api/cdp/backup`, { ...request, signal: stop.signal });
  await body?.getReader().read();
  stop.abort();
  await until("another backup is taken", async () => (await fetch(`${server.url}/api/cdp/backup`, request).then(async (answer) => [answer.status, await answer.text()]))[0] === 200);
});

test("a backup that breaks off leaves nothing, says why, and the next one builds on the last that was finished", async () => {
  await mkdir(join(dir, "made", "2099.unfinished"));
  const broken = await runCommand(["backup", join(dir, "made")], { ...env, TRIBUTARY_API_KEY: "wrong" });
  expect(broken).toMatchObject({ code: 1, output: expect.stringContaining("401") as string });
  expect((await runCommand(["backup", join(dir, "made")], env)).code).toBe(0);
  const all = await listBackups(join(dir, "made"));
  expect(all.map(({ manifest }) => manifest.base)).toEqual([null, all[0]?.manifest.id, all[1]?.manifest.id]);
});

test("keys are not put beside the backups", async () => {
  const inside = await runCommand(["backup", join(dir, "made"), "--keys", join(dir, "made", "keys")], env);
  expect(inside).toMatchObject({ code: 1, output: expect.stringContaining("outside of the backups") as string });
  const secret = (await readFile(join(root, "keys/pepper"), "utf8")).trim();
  for (const path of (await readdir(join(root, "made"), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())) {
    expect((await readFile(join(path.parentPath, path.name))).includes(secret)).toBe(false);
  }
});

test("a backup that is only checked needs no target", async () => {
  const { code, output } = await runCommand(["restore", backup, "--check"], {});
  expect(output).toContain("2 backups, all files as they were written");
  expect(code).toBe(0);
});

test("a PostgreSQL of the settings is filled when it is empty, and left alone when it is not", async () => {
  const { settings, db, drop } = await clonePostgres();
  const place = await createServerProcess();
  try {
    target = place.dataDir;
    const external = { DATABASE_URL: `postgres://${settings.user}@localhost/${settings.database}?host=${encodeURIComponent(settings.host ?? "")}&port=${settings.port}` };
    const into = () => runCommand(["restore", backup, "--keys", join(root, "keys")], { DATA_DIR: target, ...external });
    expect(await into()).toMatchObject({ code: 1, output: expect.stringContaining("database of DATABASE_URL is not empty") as string });
    expect((await readdir(target)).filter((name) => name !== "server.lock")).toEqual([]);

    await db.query("drop schema public cascade; create schema public");
    expect(await into()).toMatchObject({ code: 0 });
    await place.start(external);
    expect(await createClient(place.url).read("/api/cdp/stats")).toMatchObject({ totalProfiles: 2, totalEvents: 2 });
  } finally {
    await place.remove();
    await drop();
  }
});

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLog } from "../../testing/silent-log.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./embedded.ts";
import { readStartMark } from "./embedded/inspect-process.ts";
import { connectPostgres, type PostgresSettings } from "./pool.ts";

const isRoot = process.getuid?.() === 0;
const nobody = 65534;
let base: string;
let running: EmbeddedPostgres[];
let children: ChildProcess[];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "tributary-embedded-"));
  await chmod(base, 0o711);
  running = [];
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const server of running) await server.stop();
  await rm(base, { recursive: true, force: true });
});

async function start(dir = join(base, "postgres")): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dir, log: silentLog, durable: false });
  running.push(server);
  return server;
}

async function ask(settings: PostgresSettings, sql: string): Promise<unknown> {
  const db = connectPostgres(settings);
  return await db.query(sql).finally(() => db.close());
}

const keepOne = "create table kept (value text); insert into kept values ('here')";
const readKept = "select value from kept";

/** A process of its own that starts the server, says its pid and the settings, and stops it when its input ends. */
const starter = `
  import { startEmbeddedPostgres } from ${JSON.stringify(new URL("./embedded.ts", import.meta.url).href)};
  const ignore = () => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const server = await startEmbeddedPostgres({ dir: process.argv[1], log, durable: false });
  console.log(JSON.stringify({ pid: server.pid(), settings: server.settings }));
  process.stdin.resume().once("end", () => server.stop());
`;

async function startInChild(dir: string, uid?: number): Promise<{ child: ChildProcess; pid: number; settings: PostgresSettings }> {
  const account = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn(process.execPath, ["--input-type=module", "-e", starter, dir], { stdio: ["pipe", "pipe", "inherit"], ...account });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, ...(JSON.parse(line) as { pid: number; settings: PostgresSettings }) };
}

async function killAndWait(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("starts from nothing, and a second start finds the data of the first", async () => {
  const first = await start();
  await ask(first.settings, keepOne);
  await first.stop();
  expect(first.alive()).toBe(false);
  const second = await start();
  expect(second.alive()).toBe(true);
  expect(await ask(second.settings, readKept)).toEqual([{ value: "here" }]);
});

test("listens on a Unix socket alone, in a directory that only its user can enter", async () => {
  const server = await start();
  expect(await ask(server.settings, "select current_setting('listen_addresses') as addresses")).toEqual([{ addresses: "" }]);
  expect((await stat(server.settings.host ?? "")).mode & 0o777).toBe(0o700);
  const cluster = await ask(server.settings, "select datlocprovider as provider, datlocale as locale, pg_encoding_to_char(encoding) as encoding " +
    "from pg_database where datname = current_database()");
  expect(cluster).toEqual([{ provider: "b", locale: "C.UTF-8", encoding: "UTF8" }]);
});

test("a folder whose path is too long for a socket, with a space in it, works", async () => {
  const server = await start(join(base, "a folder ".repeat(12).trim(), "postgres"));
  expect(Buffer.byteLength(server.settings.host ?? "")).toBeLessThan(80);
  expect(await ask(server.settings, "select 1 as one")).toEqual([{ one: 1 }]);
  await server.stop();
  await rm(server.settings.host ?? "", { recursive: true });
});

test("comes back by itself when the server is killed while a query runs on, and nothing is lost", async () => {
  const server = await start();
  const db = connectPostgres(server.settings);
  await db.query(keepOne);
  const busy = db.query("select sum(n) from (select generate_series(1, 10000000) as n) as numbers").then(() => "answered", () => "lost");
  const seen = "select 1 from pg_stat_activity where state = 'active' and query like 'select sum%'";
  await vi.waitFor(async () => expect(await db.query(seen)).toHaveLength(1), { timeout: 10_000, interval: 5 });
  const pid = server.pid() ?? 0;
  process.kill(pid, "SIGKILL");
  await vi.waitFor(() => expect(server.alive() && server.pid() !== pid).toBe(true), { timeout: 40_000, interval: 20 });
  expect(await db.query(readKept)).toEqual([{ value: "here" }]);
  expect(await busy).toMatch(/answered|lost/);
  await db.close();
});

test("stops also while it is down and being started again", async () => {
  const server = await start();
  process.kill(server.pid() ?? 0, "SIGKILL");
  await vi.waitFor(() => expect(server.alive()).toBe(false), { timeout: 10_000, interval: 5 });
  await server.stop();
  const again = await start();
  expect(again.alive()).toBe(true);
});

test("takes over the server that a killed process left running", async () => {
  const dir = join(base, "postgres");
  const orphan = await startInChild(dir);
  await ask(orphan.settings, keepOne);
  await killAndWait(orphan.child);
  expect(await readStartMark(orphan.pid)).toBeDefined();
  const server = await start(dir);
  expect(await readStartMark(orphan.pid)).toBeUndefined();
  expect(await ask(server.settings, readKept)).toEqual([{ value: "here" }]);
});

test("starts when both were killed and the server's pid is another program's by now", async () => {
  const dir = join(base, "postgres");
  const orphan = await startInChild(dir);
  await ask(orphan.settings, keepOne);
  await killAndWait(orphan.child);
  process.kill(orphan.pid, "SIGKILL");
  const { uid, gid } = await stat(join(dir, "data"));
  const other = spawn("sleep", ["600"], isRoot ? { uid, gid } : {});
  children.push(other);
  for (const file of [join(dir, "data/postmaster.pid"), join(orphan.settings.host ?? "", ".s.PGSQL.5432.lock")]) {
    await writeFile(file, (await readFile(file, "utf8")).replace(/^\d+/, String(other.pid)));
  }
  const server = await start(dir);
  expect(await ask(server.settings, readKept)).toEqual([{ value: "here" }]);
  expect(other.exitCode ?? other.signalCode).toBeNull();
});

test("does not take the server of a process that lives", async () => {
  const dir = join(base, "postgres");
  const owner = await startInChild(dir);
  await expect(start(dir)).rejects.toThrow(`Another Tributary (process ${owner.child.pid}) uses this data directory.`);
  expect(await ask(owner.settings, "select 1 as one")).toEqual([{ one: 1 }]);
  owner.child.stdin?.end();
  expect(await once(owner.child, "exit")).toEqual([0, null]);
  expect(await readStartMark(owner.pid)).toBeUndefined();
});

test.skipIf(!isRoot)("works as an ordinary user, whose folder root can use afterwards and give back", async () => {
  await chmod(base, 0o777);
  const dir = join(base, "postgres");
  for (const uid of [nobody, undefined, nobody]) {
    const { child, settings } = await startInChild(dir, uid);
    expect(await ask(settings, "select 1 as one")).toEqual([{ one: 1 }]);
    child.stdin?.end();
    expect(await once(child, "exit")).toEqual([0, null]);
    expect((await stat(join(dir, "data"))).uid).toBe(nobody);
  }
});

test.skipIf(!isRoot)("says what to do when root's folder is closed to the user that PostgreSQL runs as", async () => {
  await chmod(base, 0o700);
  await expect(start()).rejects.toThrow(/may not enter .*: run Tributary as an ordinary user, move DATA_DIR .*, or set DATABASE_URL/);
});

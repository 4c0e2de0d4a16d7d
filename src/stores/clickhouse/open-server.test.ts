import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ClickhouseServer, clusterAlone, startClickhouseServer } from "../../testing/clickhouse-server.ts";
import { type CuttingProxy, startCuttingProxy } from "../../testing/cutting-proxy.ts";
import { until } from "../../testing/server-process.ts";
import { clusterOf } from "../../testing/test-history.ts";
import { readMigrations } from "../migration-plan.ts";
import { clusterForm } from "./cluster-ddl.ts";
import { connectHistory } from "./connect.ts";
import type { ColumnType, History } from "./history.ts";
import { isHistoryAway } from "./is-away.ts";
import { statementsOf } from "./migrate.ts";

let server: ClickhouseServer;
let proxy: CuttingProxy;
let database: string;
/** Beside the proxy. */
let direct: History;
let history: History;

beforeAll(async () => {
  server = await startClickhouseServer();
  proxy = await startCuttingProxy(() => server.port);
});
afterAll(async () => {
  await proxy.close();
  await server.remove();
});
const throughProxy = (): string => server.url.replace(/:\d+$/, `:${proxy.port}`);
beforeEach(async () => {
  database = `test_${randomUUID().replaceAll("-", "")}`;
  direct = await connectHistory({ at: { url: server.url }, database });
  history = await connectHistory({ at: { url: throughProxy() }, database });
  await direct.define("create table if not exists line (n UInt32) engine = MergeTree order by n");
});
afterEach(async () => {
  await server.delayInserts(0);
  await history.close();
  await direct.close();
});

const columns: ColumnType[] = [["n", "UInt32"]];
const insert = (by: History, numbers: number[], of = "partition-7"): Promise<void> =>
  by.insertBinary("line", columns, numbers, (row, n) => row.uint32(n), { of, token: () => numbers.join() });
const lines = async (by: History = direct): Promise<number[]> => (await by.query<{ n: number }>("select n from line order by n")).map(({ n }) => n);
const runs = (of: string) => async (): Promise<boolean> => (await server.running()).some((id) => id.includes(`-${of}-`));

test("a wrong password is refused and no outage; user and password may stand beside the URL", async () => {
  const { origin, username, password } = new URL(server.url);
  const url = `${origin}/`;
  const wrong = await connectHistory({ at: { url, user: username, password: "wrong" }, database }).catch((error: unknown) => error);
  expect(wrong).toMatchObject({ code: "516" });
  expect(isHistoryAway(wrong)).toBe(false);
  const right = await connectHistory({ at: { url, user: username, password: decodeURIComponent(password) }, database });
  expect(await right.query("select 1 one")).toEqual([{ one: 1 }]);
  await right.close();
});

test("a server that is not there is an outage", async () => {
  const error = await connectHistory({ at: { url: "http://127.0.0.1:9" }, database }).catch((thrown: unknown) => thrown);
  expect(isHistoryAway(error)).toBe(true);
});

test("of an insert whose answer was lost the rows are found", async () => {
  proxy.swallow(1);
  await expect(insert(history, [1, 2, 3])).rejects.toThrow();
  expect(await lines(history)).toEqual([1, 2, 3]);
});

test("an insert that goes on behind a cut connection is ended before anybody is told which rows are there", async () => {
  await server.delayInserts(60_000);
  const inserted = insert(history, [1, 2, 3]);
  await until("the insert is at the server", runs("partition-7"));
  proxy.cut();
  await expect(inserted).rejects.toThrow();
  expect(await runs("partition-7")()).toBe(true);
  expect(await lines(history)).toEqual([]);
  expect(await runs("partition-7")()).toBe(false);
  await server.delayInserts(0);
  await insert(history, [1, 2, 3]);
  expect(await lines()).toEqual([1, 2, 3]);
});

test("whoever takes a partition over ends the inserts of the one before, and no other's", async () => {
  await server.delayInserts(60_000);
  const [before, other] = [insert(history, [1], "partition-7"), insert(history, [2], "partition-70")];
  for (const one of [before, other]) one.catch(() => undefined);
  await until("both are at the server", async () => (await runs("partition-7")()) && (await runs("partition-70")()));
  await direct.settle("partition-7");
  await expect(before).rejects.toThrow();
  expect(await runs("partition-70")()).toBe(true);
  await direct.settle("partition-70");
  await expect(other).rejects.toThrow();
  expect(await lines()).toEqual([]);
});

test("a query that fails in the middle of its answer fails with its code, and no half of it is taken", async () => {
  const error = await history.query("select throwIf(number = 900000) from numbers(1000000)").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "395" });
});

test("values that are too long for a URL arrive all the same", async () => {
  const numbers = Array.from({ length: 20_000 }, (_, n) => n);
  await insert(history, numbers);
  expect(await history.query("select count() found from line where n in {numbers:Array(UInt64)}", { numbers })).toEqual([{ found: 20_000 }]);
  const text = `it's a \\ "text"\n\t${"x".repeat(10_000)}`;
  expect(await history.query("select {text:String} text, {texts:Array(String)} texts", { text, texts: [text, "b"] })).toEqual([{ text, texts: [text, "b"] }]);
});

test("on a cluster rows are read, replaced and deleted through the table that is over all shards", async () => {
  const onCluster = await connectHistory({ at: { url: throughProxy(), cluster: clusterOf(clusterAlone) }, database: `${database}_c` });
  await onCluster.define("create table if not exists pair (tenant UInt32, n UInt32, v UInt32) engine = ReplacingMergeTree(v) order by (tenant, n)");
  await onCluster.define("alter table pair add column if not exists more String");
  await onCluster.insert("pair", [{ tenant: 1, n: 1, v: 1 }, { tenant: 1, n: 1, v: 2, more: "new" }, { tenant: 1, n: 2, v: 1 }]);
  await onCluster.deleteRows("pair", "tenant = {tenant:UInt32} and n = {n:UInt32}", { tenant: 1, n: 2 });
  expect(await onCluster.query("select n, v, more from pair final order by n")).toEqual([{ n: 1, v: 2, more: "new" }]);
  expect(await onCluster.query("select count() rows from pair", {}, { mayLag: true })).toEqual([{ rows: 1 }]);
  await onCluster.check();
  await onCluster.command(`drop database ${database}_c`);
  await onCluster.close();
});

test("on a cluster the second of two inserts of the same rows is dropped, of other rows it is not", async () => {
  const onCluster = await connectHistory({ at: { url: server.url, cluster: clusterOf(clusterAlone) }, database: `${database}_c` });
  await onCluster.define("create table if not exists line (n UInt32) engine = MergeTree order by n");
  // Here nothing is replicated; this setting stands for what a replicated table does by itself.
  await onCluster.command("alter table line_local modify setting non_replicated_deduplication_window = 1000");
  await insert(onCluster, [1, 2]);
  await insert(onCluster, [1, 2]);
  await insert(onCluster, [2, 3]);
  expect(await lines(onCluster)).toEqual([1, 2, 2, 3]);
  await onCluster.command(`drop database ${database}_c`);
  await onCluster.close();
});

test("the engine makes the replicated table of every migration, with the settings of its rows and of what is remembered for seven days", async () => {
  await server.runAsIs(`create database ${database}_r`);
  const files = await readMigrations(new URL("../../../migrations/clickhouse/", import.meta.url));
  const creates = files.flatMap(({ sql }) => statementsOf(sql)).filter((statement) => statement.startsWith("create"));
  for (const create of creates) {
    const [local = ""] = clusterForm(create, clusterOf(clusterAlone), `${database}_r`);
    await server.runAsIs(local.replace(/ on cluster '\w+'/, ""));
  }
  const made = await server.runAsIs(`select name, engine_full from system.tables where database = '${database}_r' order by name`);
  expect(made.trim().split("\n").map((line) => line.split("\t")[0])).toEqual(["events_held_local", "events_local", "identity_profile_local"]);
  for (const line of made.trim().split("\n")) {
    expect(line).toMatch(/ReplicatedReplacingMergeTree\(\\'\/clickhouse\/tables\/.*\\', \\'.*\\'/);
    for (const setting of ["replicated_deduplication_window = 1000000", "replicated_deduplication_window_seconds = 604800", "fsync_after_insert = 1"]) expect(line).toContain(setting);
  }
});

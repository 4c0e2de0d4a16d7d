import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHistory, type TestHistory } from "../../testing/test-history.ts";
import { readMigrations } from "../migration-plan.ts";
import { type Cluster, clusterForm, deleteFromCluster } from "./cluster-ddl.ts";
import { statementsOf } from "./migrate.ts";

const cluster: Cluster = { name: "our-cluster", replicaPath: "/clickhouse/tables/{shard}/{database}/{table}", replicaName: "{replica}" };
const form = (statement: string): string[] => clusterForm(statement, cluster, "cdp");

let opened: TestHistory;
beforeAll(async () => {
  opened = await openTestHistory();
});
afterAll(() => opened.drop());

test("a table becomes a replicated one that has the rows of a shard, and one over all shards", () => {
  expect(form(`create table if not exists visits
(
  tenant UInt32,
  page   String comment 'a path (with brackets)',
  at     DateTime64(3, 'UTC')
)
engine = ReplacingMergeTree(at)
partition by toYear(at)
order by (tenant, page, at)
settings fsync_after_insert = 1`)).toEqual([
    `create table if not exists cdp.visits_local on cluster 'our-cluster'
(
  tenant UInt32,
  page   String comment 'a path (with brackets)',
  at     DateTime64(3, 'UTC')
)
engine = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', at)
partition by toYear(at)
order by (tenant, page, at)
settings fsync_after_insert = 1, replicated_deduplication_window = 1000000, replicated_deduplication_window_seconds = 604800`,
    `create table if not exists cdp.visits on cluster 'our-cluster' as cdp.visits_local
engine = Distributed('our-cluster', 'cdp', 'visits_local', sipHash64(tenant, page))`,
  ]);
});

test.each([
  ["by its only column of order", "create table if not exists a (id UInt8) engine = MergeTree order by id", "sipHash64(id)"],
  ["by its first two", "create table if not exists a (b UInt8, c UInt8, d UInt8) engine = ReplacingMergeTree order by (b, c, d)", "sipHash64(b, c)"],
])("a table is sharded %s", (_, statement, key) => {
  expect(form(statement)[1]).toContain(`'a_local', ${key})`);
  expect(form(statement)[0]).toContain("\nsettings replicated_deduplication_window = ");
});

test.each([
  ["columns are changed in both tables", "alter table a add column if not exists b UInt8", ["cdp.a_local", "cdp.a"]],
  ["an index is of the rows' table", "alter table a add index if not exists b (c) type minmax granularity 1", ["cdp.a_local"]],
  ["and so is a projection", "alter table a drop projection if exists b", ["cdp.a_local"]],
  ["and a setting", "alter table a modify setting max_compress_block_size = 131072", ["cdp.a_local"]],
])("%s", (_, statement, tables) => {
  const change = statement.replace("alter table a ", "");
  expect(form(statement)).toEqual(tables.map((table) => `alter table ${table} on cluster 'our-cluster' ${change}`));
});

test.each(["drop table events", "alter table a add column b UInt8, drop projection c", "create view a as select 1", "create table if not exists a (b UInt8) engine = MergeTree order by tuple()"])(
  "what has no form for a cluster is refused: %s",
  (statement) => expect(() => form(statement)).toThrow(),
);

test("of every migration the engine can read each form for a cluster, and nothing is left out of it", async () => {
  const files = await readMigrations(new URL("../../../migrations/clickhouse/", import.meta.url));
  const statements = files.flatMap(({ sql }) => statementsOf(sql));
  expect(statements.length).toBeGreaterThan(5);
  for (const statement of statements) {
    const forms = form(statement);
    for (const text of forms) expect(await isOnCluster(text), text).toBe(true);
    if (forms.length === 1 || !statement.startsWith("create")) continue;
    // But for engine, name and place, the table of the rows is the table of the migration.
    const plain = await formatted(statement);
    const local = (await formatted(forms[0] as string))
      .replace(/cdp\.(\w+)_local ON CLUSTER `our-cluster`/, "$1")
      .replace(/Replicated(\w+)\('[^']*', '[^']*'(?:, )?/, "$1(")
      .replace(/(\w+MergeTree)\(\)/, "$1")
      .replace(/, replicated_deduplication_window = 1000000, replicated_deduplication_window_seconds = 604800$/, "");
    expect(local).toBe(plain);
  }
});

test("rows are deleted where they lie, on all servers, by a statement that the engine can read", async () => {
  const text = `${deleteFromCluster("events", cluster, "cdp")} where log_pos = 1`;
  expect(text).toBe("delete from cdp.events_local on cluster 'our-cluster' where log_pos = 1");
  expect(await isOnCluster(text)).toBe(true);
});

/** By the engine's own parser. */
async function isOnCluster(statement: string): Promise<boolean> {
  await opened.history.command(`explain ast ${statement}`);
  return (await formatted(statement)).includes("ON CLUSTER `our-cluster`");
}

async function formatted(statement: string): Promise<string> {
  const [row] = await opened.history.query<{ text: string }>("select formatQuerySingleLine({statement:String}) text", { statement });
  return row?.text ?? "";
}

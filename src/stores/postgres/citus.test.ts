import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";

// What Citus demands of a distributed table, read from the real schema, for the tables that docs/operations.md distributes.
const manual = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
const distributed = [...manual.matchAll(/create_distributed_table\('(\w+)', 'tenant_id'/g)].map(([, table = ""]) => table);
const local = ["api_key", "installation", "log_partition", "schema_migration", "source", "tenant", "worker"];

let clone: PostgresClone;
beforeAll(async () => {
  clone = await clonePostgres();
});
afterAll(() => clone.drop());

const names = async (sql: string): Promise<string[]> => (await clone.db.query<{ name: string }>(sql, [distributed])).map(({ name }) => name);

test("every table is either distributed by tenant or named as one that stays on the coordinator", async () => {
  expect(distributed.length).toBeGreaterThan(5);
  const tables = await clone.db.query<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public'");
  expect(tables.map(({ name }) => name).filter((name) => !distributed.includes(name) && !local.includes(name))).toEqual([]);
  for (const name of local) expect(manual).toContain(`\`${name}\``);
});

test.each([
  ["has a key without the tenant in front", `select c.relname as name from pg_index i join pg_class c on c.oid = i.indrelid
     join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] where c.relname = any($1) and i.indisunique and a.attname <> 'tenant_id'`],
  ["has no primary key", `select c.relname as name from pg_class c where c.relname = any($1) and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`],
  ["has a reference to or from a table that is not", `select conname as name from pg_constraint k join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
     where k.contype = 'f' and (a.relname = any($1) or b.relname = any($1))`],
  ["has numbers of its own that are no bigint", `select table_name || '.' || column_name as name from information_schema.columns
     where table_name = any($1) and is_identity = 'YES' and data_type <> 'bigint'`],
  ["has a tenant that may change or be missing", `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relname = any($1) and (not a.attnotnull or a.atttypid <> 'integer'::regtype)`],
  ["has a trigger", "select tgname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relname = any($1) and not tgisinternal"],
])("no table that is distributed %s", async (_, sql) => {
  expect(await names(sql)).toEqual([]);
});

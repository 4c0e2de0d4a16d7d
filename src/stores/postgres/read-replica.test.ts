import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import type { Db } from "./db.ts";
import { connectPostgres } from "./pool.ts";
import { preferReplica, type ReadDb } from "./read-replica.ts";

// Two databases stand for the two servers: what is read tells which of them answered.
let primary: PostgresClone;
let replica: PostgresClone;
let absent: Db;
let now: number;
const answered = (db: ReadDb): Promise<object[]> => db.query("select name from place where id = $1", [1]);
const answeredInTransaction = (db: ReadDb): Promise<object[]> => db.transaction((tx) => db.in(tx).query("select name from place where id = $1", [1]));

beforeAll(async () => {
  [primary, replica] = [await clonePostgres(), await clonePostgres()];
  for (const [db, name] of [[primary.db, "primary"], [replica.db, "replica"]] as const) {
    await db.query("create table place (id integer primary key, name text)");
    await db.query("insert into place values (1, $1)", [name]);
  }
  absent = connectPostgres({ host: "127.0.0.1", port: 9, user: "nobody", database: "nothing" });
});
beforeEach(() => {
  now = 1_000_000;
});
afterAll(async () => {
  await absent.close();
  await primary.drop();
  await replica.drop();
});

test("a replica that is there answers", async () => {
  const db = preferReplica(replica.db, primary.db, () => now);
  expect([await answered(db), await answeredInTransaction(db)]).toEqual([[{ name: "replica" }], [{ name: "replica" }]]);
});

test("while the replica is away the primary answers, and the replica is asked again after a while", async () => {
  let asked = 0;
  const db = preferReplica({ ...absent, query: (text, values) => absent.query(text, values).finally(() => void asked++) as never }, primary.db, () => now);
  expect([await answered(db), await answered(db), await answeredInTransaction(db)]).toEqual([[{ name: "primary" }], [{ name: "primary" }], [{ name: "primary" }]]);
  expect(asked).toBe(1);
  now += 5001;
  await answered(db);
  expect(asked).toBe(2);
});

test("connections of the replica that are ended cost a read nothing", async () => {
  const db = preferReplica(replica.db, primary.db, () => now);
  await answered(db);
  await primary.db.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [replica.settings.database]);
  expect(await answered(db)).toEqual([{ name: expect.stringMatching(/^(primary|replica)$/) }]);
});

test("a statement that is wrong fails, and is not asked twice", async () => {
  const db = preferReplica(replica.db, primary.db, () => now);
  await expect(db.query("select 1 / 0")).rejects.toMatchObject({ code: "22012" });
  expect(await answered(db)).toEqual([{ name: "replica" }]);
});

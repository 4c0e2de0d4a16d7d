import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import type { Tx } from "./db.ts";
import { isBadData, isOutage } from "./sqlstates.ts";

let clone: PostgresClone;

beforeAll(async () => {
  clone = await clonePostgres();
  await clone.db.query("create table account (id integer primary key, balance bigint not null)");
  await clone.db.query("insert into account values (1, 0), (2, 0)");
});

afterAll(() => clone.drop());

function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(() => undefined, (error: unknown) => error);
}

const columns: [sql: string, value: unknown][] = [
  ["42::bigint", 42],
  ["1764000000000::bigint", 1764000000000],
  ["9007199254740991::bigint", 9007199254740991],
  ["9007199254740992::bigint", "9007199254740992"],
  ["(-9223372036854775808)::bigint", "-9223372036854775808"],
  ["null::bigint", null],
  ["array[1, null, 9007199254740993]::bigint[]", [1, null, "9007199254740993"]],
  ["array[[1, 2], [3, 4]]::bigint[]", [[1, 2], [3, 4]]],
  ["12.50::numeric", "12.50"],
  ["count(*)", 1],
  ["'\\x00ff'::bytea", Buffer.from([0, 255])],
];

test.each(columns)("%s arrives as %j", async (sql, value) => {
  expect(await clone.db.query(`select ${sql} as value`)).toEqual([{ value }]);
});

test("a transaction commits what it wrote and returns what the work returned", async () => {
  const result = await clone.db.transaction(async (tx) => {
    await clone.db.in(tx).query("insert into account values (10, 5)");
    return "done";
  });
  expect(result).toBe("done");
  expect(await clone.db.query("select balance from account where id = 10")).toEqual([{ balance: 5 }]);
});

test("a transaction whose work throws leaves nothing, and the error keeps its SQLSTATE", async () => {
  const error = await thrownBy(clone.db.transaction(async (tx) => {
    await clone.db.in(tx).query("insert into account values (11, 5)");
    await clone.db.in(tx).query("insert into account values (1, 5)");
  }));
  expect(error).toMatchObject({ code: "23505" });
  expect(isBadData(error)).toBe(true);
  expect(await clone.db.query("select 1 from account where id = 11")).toEqual([]);
});

test("a transaction in which a failure was swallowed does not pass for committed", async () => {
  const error = await thrownBy(clone.db.transaction(async (tx) => {
    await thrownBy(clone.db.in(tx).query("select 1 / 0"));
  }));
  expect(String(error)).toMatch(/rolled back/);
});

test("a transaction cannot be used after it ended", async () => {
  const leaked = await clone.db.transaction((tx) => Promise.resolve(tx));
  expect(() => clone.db.in(leaked)).toThrow(/not open any more/);
});

test("queries asked for together run one after the other, and none runs after one of them failed", async () => {
  const error = await thrownBy(clone.db.transaction((tx) => {
    const { query } = clone.db.in(tx);
    const sqls = ["select 1", "select 1 / 0", "insert into account values (13, 1)", "insert into account values (14, 1)"];
    return Promise.all(sqls.map((sql) => query(sql)));
  }));
  expect(error).toMatchObject({ code: "22012" });
  expect(await clone.db.query("select 1 from account where id in (13, 14)")).toEqual([]);
});

test("two transactions that deadlock both commit in the end", async () => {
  const firstLocks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const attempts = [0, 0];

  async function addInOrder(tx: Tx, who: 0 | 1, order: [number, number]): Promise<void> {
    attempts[who] = (attempts[who] ?? 0) + 1;
    await clone.db.in(tx).query("update account set balance = balance + 1 where id = $1", [order[0]]);
    firstLocks[who].resolve();
    await firstLocks[1 - who]?.promise;
    await clone.db.in(tx).query("update account set balance = balance + 1 where id = $1", [order[1]]);
  }

  await Promise.all([
    clone.db.transaction((tx) => addInOrder(tx, 0, [1, 2])),
    clone.db.transaction((tx) => addInOrder(tx, 1, [2, 1])),
  ]);
  expect(await clone.db.query("select id, balance from account where id in (1, 2) order by id"))
    .toEqual([{ id: 1, balance: 2 }, { id: 2, balance: 2 }]);
  expect(attempts.reduce((sum, each) => sum + each)).toBe(3);
});

test("retries end: work that always meets contention fails with its SQLSTATE", async () => {
  let attempts = 0;
  const error = await thrownBy(clone.db.transaction(async (tx) => {
    attempts += 1;
    await clone.db.in(tx).query("do $$ begin raise exception using errcode = '40001'; end $$");
  }));
  expect(error).toMatchObject({ code: "40001" });
  expect(attempts).toBe(9);
});

test("a connection that is lost in a transaction is an outage, and the pool goes on", async () => {
  const error = await thrownBy(clone.db.transaction(async (tx) => {
    const [row] = await clone.db.in(tx).query<{ pid: number }>("select pg_backend_pid() as pid");
    await clone.db.query("select pg_terminate_backend($1, 5000)", [row?.pid]);
    await clone.db.in(tx).query("select 1");
  }));
  expect(isOutage(error)).toBe(true);
  await clone.db.check();
});

test("connections that are lost while idle do not end the process, and the pool goes on", async () => {
  await Promise.all([1, 2, 3].map(() => clone.db.query("select pg_sleep(0.05)")));
  const [row] = await clone.db.query<{ ended: number }>(
    "select count(pg_terminate_backend(pid, 5000)) as ended from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  expect(row?.ended).toBeGreaterThan(0);
  await clone.db.check();
});

const timeouts = "select current_setting('statement_timeout') as s, current_setting('idle_in_transaction_session_timeout') as i";

test("statements of a transaction and idle transactions end after 30 s, single statements after 5 s", async () => {
  expect(await clone.db.transaction((tx) => clone.db.in(tx).query(timeouts))).toEqual([{ s: "30s", i: "30s" }]);
  expect(await clone.db.query(timeouts)).toEqual([{ s: "5s", i: "30s" }]);
});

test("a statement is planned once a connection, whatever its values", async () => {
  for (const id of [1, 2, 1, 2]) await clone.db.query("select balance from account where id = $1", [id]);
  const [row] = await clone.db.query<{ statements: number }>("select count(*) as statements from pg_prepared_statements where statement like 'select balance from account where id = $1'");
  expect(row?.statements).toBe(1);
});

test("single statements and transactions do not wait for each other's connections", async () => {
  const held = [1, 2, 3, 4, 5].map(() => Promise.withResolvers<void>());
  const begun = held.map(() => Promise.withResolvers<void>());
  const all = held.map((one, at) => clone.db.transaction(async (tx) => {
    await clone.db.in(tx).query("select 1");
    begun[at]?.resolve();
    await one.promise;
  }));
  await Promise.all(begun.map((one) => one.promise));
  expect(await clone.db.query("select 1 as one")).toEqual([{ one: 1 }]);
  for (const one of held) one.resolve();
  await Promise.all(all);
});

test("work that needs a connection while another transaction is open gets one", async () => {
  await clone.db.transaction(async (tx) => {
    await clone.db.in(tx).query("insert into account values (12, 1)");
    expect(await clone.db.query("select 1 from account where id = 12")).toEqual([]);
  });
  expect(await clone.db.query("select 1 as seen from account where id = 12")).toEqual([{ seen: 1 }]);
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import { migratePostgres } from "./migrate.ts";

let clone: PostgresClone;
let folder: string;

beforeEach(async () => {
  clone = await clonePostgres();
  folder = await mkdtemp(join(tmpdir(), "tributary-migrations-"));
  await clone.db.query("delete from schema_migration");
  await write("000001-one.sql", "create table one (id integer); insert into one values (1);");
});

afterEach(async () => {
  await clone.drop();
  await rm(folder, { recursive: true });
});

function write(name: string, sql: string): Promise<void> {
  return writeFile(join(folder, name), sql);
}

test("the real migrations are applied in the template, and running them again does nothing", async () => {
  const fresh = await clonePostgres();
  expect(await fresh.db.query("select version from schema_migration where version = 1")).toEqual([{ version: 1 }]);
  expect(await migratePostgres(fresh.db, new URL("../../../migrations/postgres/", import.meta.url))).toEqual([]);
  await fresh.drop();
});

test("a second run applies only what is new", async () => {
  expect(await migratePostgres(clone.db, folder)).toEqual(["one"]);
  await write("000002-two.sql", "alter table one add column name text");
  expect(await migratePostgres(clone.db, folder)).toEqual(["two"]);
  expect(await migratePostgres(clone.db, folder)).toEqual([]);
  expect(await clone.db.query("select id, name from one")).toEqual([{ id: 1, name: null }]);
});

test("processes that start together apply each file once", async () => {
  await write("000002-two.sql", "insert into one values (2)");
  const ran = await Promise.all([migratePostgres(clone.db, folder), migratePostgres(clone.db, folder), migratePostgres(clone.db, folder)]);
  expect(ran.flat().sort()).toEqual(["one", "two"]);
  expect(await clone.db.query("select id from one order by id")).toEqual([{ id: 1 }, { id: 2 }]);
});

test("a file that fails leaves nothing of itself, and those before it stay", async () => {
  await write("000002-two.sql", "insert into one values (2); select 1 / 0;");
  await expect(migratePostgres(clone.db, folder)).rejects.toMatchObject({ code: "22012" });
  expect(await clone.db.query("select id from one")).toEqual([{ id: 1 }]);
  expect(await clone.db.query("select version from schema_migration")).toEqual([{ version: 1 }]);
});

test("a database that a newer release wrote is refused", async () => {
  await migratePostgres(clone.db, folder);
  await clone.db.query("insert into schema_migration values (99, 'future', now(), 'x')");
  await expect(migratePostgres(clone.db, folder)).rejects.toThrow(/written by a newer Tributary \(its schema has version 99, this release knows 1\)/);
});

test("an applied file that was edited is refused", async () => {
  await migratePostgres(clone.db, folder);
  await write("000001-one.sql", "create table one (id bigint)");
  await expect(migratePostgres(clone.db, folder)).rejects.toThrow(/The migration 1 \(one\) has changed/);
});

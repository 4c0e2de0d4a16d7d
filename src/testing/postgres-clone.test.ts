import { expect, test } from "vitest";
import { connectPostgres } from "../stores/postgres/pool.ts";
import { clonePostgres } from "./postgres-clone.ts";

test("a clone is migrated, and what one test writes another does not see", async () => {
  const [one, other] = [await clonePostgres(), await clonePostgres()];
  await one.db.query("insert into tenant (name, created_at) values ('T', now())");
  expect(await one.db.query("select name from tenant")).toEqual([{ name: "T" }]);
  expect(await other.db.query("select name from tenant")).toEqual([]);
  await Promise.all([one.drop(), other.drop()]);
});

test("a dropped clone is gone even when someone is still connected to it", async () => {
  const clone = await clonePostgres();
  const second = connectPostgres(clone.settings);
  await second.check();
  await clone.drop();
  await expect(second.check()).rejects.toThrow();
  await second.close();
});

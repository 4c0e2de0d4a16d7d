import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../testing/postgres-clone.ts";
import { openTestHistory } from "../testing/test-history.ts";
import { rebuildOverrides } from "./index.ts";

let clone: PostgresClone;
let opened: Awaited<ReturnType<typeof openTestHistory>>;
beforeAll(async () => {
  [clone, opened] = [await clonePostgres(), await openTestHistory()];
});
afterAll(async () => {
  await clone.drop();
  await opened.drop();
});

test("history learns the profile of every identity that is not its own, and later news outweigh it", async () => {
  await clone.db.query(
    `insert into identity (tenant_id, identity_id, entity, kind, hash, profile_id, created_at)
       select t, n, 'person', 'email', decode(md5(concat(t, n)), 'hex'), case when n % 3 = 0 then n else 1 + n / 10 * 10 end, now() from generate_series(1, 2) t, generate_series(1, 60000) n`,
  );
  await rebuildOverrides({ db: clone.db, history: opened.history });
  const [expected] = await clone.db.query<{ n: number; sum: number }>("select count(*) n, sum(profile_id * tenant_id)::bigint sum from identity where profile_id <> identity_id");
  expect(await opened.history.query("select count() n, sum(profile * tenant) sum from identity_profile")).toEqual([expected]);

  await opened.history.insert("identity_profile", [{ tenant: 1, identity: 2, profile: 7, version: 1 }]);
  expect(await opened.history.query("select profile from identity_profile final where tenant = 1 and identity = 2")).toEqual([{ profile: 7 }]);
});

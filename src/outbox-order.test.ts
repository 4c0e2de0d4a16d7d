import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultTenantSettings } from "./core/tenant-defaults.ts";
import { openPipelineHarness, type PipelineHarness } from "./testing/pipeline-harness.ts";

let harness: PipelineHarness;
beforeAll(async () => {
  harness = await openPipelineHarness();
});
afterAll(() => harness.close());

test("history ends at the present profile of an identity, also when a message with a smaller number is committed after a larger one was delivered", async () => {
  const { db, history } = harness;
  const world = await harness.startWorld([defaultTenantSettings], { memoryBytes: 1 << 20, bufferBytesMax: 1_000_000, cacheMax: 100, rebuild: false }, []);
  const [tenant] = world.tenantIds;
  const tell = "insert into outbox (tenant_id, kind, payload) values ($1, 'regrouped', $2)";
  await db.query(
    `insert into identity (tenant_id, identity_id, entity, kind, hash, profile_id, created_at)
     select $1, n, 'person', 'email', n::text::bytea, n, now() from unnest($2::int[]) n`, [tenant, [1, 2]]);
  await db.transaction(async (tx) => {
    await db.in(tx).query(tell, [tenant, { profiles: [2] }]);
    await db.query(tell, [tenant, { profiles: [1] }]);
    expect(await world.process.activate.drain()).toBe(1);
    await db.in(tx).query("update identity set profile_id = 2 where tenant_id = $1 and identity_id = 1", [tenant]);
  });
  expect(await world.process.activate.drain()).toBe(1);
  const rows = await history.query("select identity, profile from identity_profile final where tenant = {tenant:UInt32} order by identity", { tenant });
  expect(rows).toEqual([{ identity: 1, profile: 2 }, { identity: 2, profile: 2 }]);
});

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Delivery, deliver, randomDelivery } from "./testing/deliver-log.ts";
import { openPipelineHarness, pepper, type PipelineHarness, type World } from "./testing/pipeline-harness.ts";
import { type RandomLog, randomLog } from "./testing/random-log.ts";
import { readMembers, readProfiles } from "./testing/read-profiles.ts";
import { type ReferenceProfile, referenceProfiles } from "./testing/reference-model.ts";

// Invariants of the whole path on the real engines: counted once, order-free, tenants apart. A failure prints seed and path;
// `fc.assert(…, { seed, path })` shows it again.

let harness: PipelineHarness;
beforeAll(async () => {
  harness = await openPipelineHarness();
});
afterAll(() => harness.close());

async function work(log: RandomLog, delivery: Delivery): Promise<World> {
  const world = await harness.startWorld(log.settings, delivery.options, delivery.faults);
  await deliver(world, log, delivery);
  return world;
}

const byMembers = (profiles: Iterable<ReferenceProfile>): ReferenceProfile[] =>
  [...profiles].sort((x, y) => (x.identifiers.join() < y.identifiers.join() ? -1 : 1));

test("in any order, batching, repetition and failure, the profiles of every tenant are what the reference makes of what was accepted", async () => {
  await fc.assert(fc.asyncProperty(randomLog(40), randomDelivery, async (log, delivery) => {
    const world = await work(log, delivery);
    for (const tenantId of world.tenantIds) {
      const accepted = world.accepted.filter(({ event }) => event.tenantId === tenantId);
      const members = await readMembers(harness.db, tenantId);
      const live = await readProfiles(world, tenantId, members);
      expect(byMembers(live.values())).toEqual(referenceProfiles(accepted, world.settingsOf(tenantId), pepper));
    }
    expect(world.process.partition.positions.lowWater).toBe(world.log.head(0));
  }), { numRuns: 60, endOnFailure: false });
}, 300_000);

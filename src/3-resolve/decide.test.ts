import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../testing/postgres-clone.ts";
import { createLiveTenant, createWorker, insertTenant } from "./fixtures/live-tenant.ts";
import { allOf, type RandomFacts, randomFacts, randomLimits } from "./fixtures/random-facts.ts";
import { stories, toFacts, toProfiles } from "./fixtures/stories.ts";
import { type Fact, resolveFacts, settingsWith, sortProfiles } from "./fixtures/world.ts";

let clone: PostgresClone;
beforeAll(async () => {
  clone = await clonePostgres();
});
afterAll(() => clone.drop());

const split = (facts: readonly Fact[], size: number): Fact[][] =>
  Array.from({ length: Math.ceil(facts.length / size) }, (_, i) => facts.slice(i * size, (i + 1) * size));

/** A new tenant to whom the facts are said in this order, in batches of this size. */
async function live(apart: readonly Fact[], facts: readonly Fact[], size: number, limits = {}, cacheMax = 1000) {
  const { resolve } = createWorker(clone.db, settingsWith(limits), { cacheMax });
  const tenant = createLiveTenant(clone.db, await insertTenant(clone.db), resolve);
  await tenant.keepApart(apart);
  for (const batch of split(facts, size)) {
    await tenant.say(batch);
    const { told, recorded } = await tenant.bookkeeping();
    expect(told).toEqual(recorded);
  }
  return tenant;
}

describe.each([["one by one", 1], ["in one batch", 100]])("who is whom, told %s", (_how, size) => {
  test.each(stories)("$title", async (story) => {
    const facts = toFacts(story);
    const [apart, said] = [facts.filter(({ type }) => type === "apart"), facts.filter(({ type }) => type !== "apart")];
    const inOrder = await live(apart, said, size);
    const backwards = await live(apart, said.toReversed(), size);
    expect(await inOrder.profiles()).toEqual(sortProfiles(toProfiles(story)));
    expect(await backwards.profiles()).toEqual(sortProfiles(toProfiles(story)));
  });
});

/** A set of facts with an order in which they are told, some twice. */
const told = randomFacts.chain((set: RandomFacts) => {
  const said = [...set.events, ...set.manual];
  const [batchSize, cacheMax] = [fc.integer({ min: 1, max: 12 }), fc.constantFrom(2, 1000)];
  const orders = fc.tuple(fc.shuffledSubarray(said, { minLength: said.length }), fc.subarray(said), batchSize, cacheMax);
  return fc.tuple(fc.constant(set), orders, orders);
});

test("told in any order, batching and duplication, profiles are what the rule makes of the whole set", async () => {
  await fc.assert(fc.asyncProperty(told, randomLimits, async ([set, ...orders], limits) => {
    const expected = resolveFacts(allOf(set), settingsWith(limits));
    for (const [said, again, size, cacheMax] of orders) {
      const tenant = await live(set.apart, [...said, ...again], size, limits, cacheMax);
      expect(await tenant.profiles()).toEqual(expected);
    }
  }), { numRuns: 200, endOnFailure: false });
}, 180_000);

test("what is joined in one batch beside a profile that falls apart, and within its reach, is told once", async () => {
  const at = (ts: number, ...names: string[]): Fact => ({ type: "event", at: 1_700_000_000_000 + ts, names });
  const apart: Fact = { type: "apart", at: 1_700_000_000_000, names: ["phone:1", "anonymous_id:3"] };
  const before = [at(0, "external_id:1", "device_id:2"), at(1, "phone:1", "device_id:2"), at(6, "anonymous_id:3", "external_id:1")];
  const batch = [at(2, "anonymous_id:3", "anonymous_id:4"), at(3, "email:1", "device_id:2")];
  const tenant = await live([apart], before, 3, { device_id: 2 });
  const { merged, refold } = await tenant.say(batch);
  expect([merged, refold.length]).toEqual([[], 3]);
  expect(await tenant.profiles()).toEqual([["anonymous_id:3", "anonymous_id:4", "external_id:1"], ["device_id:2"], ["email:1"], ["phone:1"]]);
});

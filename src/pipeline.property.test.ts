import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Identifier } from "./contracts/canonical-event.ts";
import type { MeterName } from "./contracts/meters.ts";
import { defaultTenantSettings } from "./core/tenant-defaults.ts";
import { type Delivery, deliver, drainAll, randomDelivery, randomFaults } from "./testing/deliver-log.ts";
import { anEvent, t0 } from "./testing/events.ts";
import { openPipelineHarness, pepper, type PipelineHarness, publicIds, type World } from "./testing/pipeline-harness.ts";
import { type RandomLog, randomLog } from "./testing/random-log.ts";
import { get, readMembers, readProfiles } from "./testing/read-profiles.ts";
import { type ReferenceProfile, referenceProfiles } from "./testing/reference-model.ts";

// The whole path on the real engines: counted once, in whatever order, tenants apart. A failure prints seed and path;
// with `fc.assert(…, { seed, path, endOnFailure: true })` it is shown again.

/** Shrinking ends in time to print what was found. */
const limit = { interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true };

let harness: PipelineHarness;
beforeAll(async () => {
  harness = await openPipelineHarness();
});
afterAll(() => harness.close());

/** What happened in all runs together: a test in which nothing went wrong has shown little. */
const happened = new Map<MeterName, number>();
const watched = ["cdp_profiles_refolded", "cdp_profiles_merged", "cdp_links_refused", "cdp_dedup_conflicts", "cdp_window_early_releases"] as const;

async function work(log: RandomLog, delivery: Delivery): Promise<World> {
  const world = await harness.startWorld(log.settings, delivery.options, delivery.faults);
  await deliver(world, log, delivery);
  for (const name of watched) happened.set(name, (happened.get(name) ?? 0) + world.meters.count(name));
  expect(world.meters.count("cdp_events_dead_lettered")).toBe(0);
  return world;
}

const byMembers = (profiles: Iterable<ReferenceProfile>): ReferenceProfile[] =>
  [...profiles].sort((x, y) => (x.identifiers.join() < y.identifiers.join() ? -1 : 1));

test("in any order, batching, repetition and failure, every tenant's profiles are what the reference makes of what was accepted", async () => {
  await fc.assert(fc.asyncProperty(randomLog(40), randomDelivery, async (log, delivery) => {
    const world = await work(log, delivery);
    for (const tenantId of world.tenantIds) {
      const accepted = world.accepted.filter(({ event }) => event.tenantId === tenantId);
      const live = await readProfiles(world, tenantId, await readMembers(harness.db, tenantId));
      expect(byMembers(live.values())).toEqual(referenceProfiles(accepted, world.settingsOf(tenantId), pepper));
      const rows = await harness.db.query("select from profile_hot where tenant_id = $1", [tenantId]);
      expect(rows).toHaveLength(live.size);
    }
    expect(world.process.partition.positions.lowWater).toBe(world.log.head(0));
  }), { numRuns: 45, ...limit });
  expect(watched.filter((name) => !happened.get(name))).toEqual([]);
}, 300_000);

test("two processes at once, each on a partition of its own, make of their tenants' events what one would", async () => {
  await fc.assert(fc.asyncProperty(randomLog(25), randomDelivery, randomLog(25), randomDelivery, async (log, delivery, more, otherDelivery) => {
    const world = await harness.startWorld(log.settings, delivery.options, delivery.faults);
    const beside = await harness.startBeside(world, otherDelivery.options, otherDelivery.faults);
    const others = more.events.map((event) => ({ ...event, eventId: `beside ${event.eventId}`, tenantId: event.tenantId % log.settings.length }));
    // One process drains.
    await Promise.all([deliver(world, log, delivery), deliver(beside, { ...more, events: others }, { ...otherDelivery, drains: [false] })]);
    for (const tenantId of world.tenantIds) {
      const accepted = [...world.accepted, ...beside.accepted].filter(({ event }) => event.tenantId === tenantId);
      const live = await readProfiles(world, tenantId, await readMembers(harness.db, tenantId));
      expect(byMembers(live.values())).toEqual(referenceProfiles(accepted, world.settingsOf(tenantId), pepper));
    }
  }), { numRuns: 10, ...limit });
}, 300_000);

test("a profile is found by its own tenant only, by its id and by its identifiers", async () => {
  await fc.assert(fc.asyncProperty(randomLog(15), randomDelivery, async (log, delivery) => {
    const world = await work({ ...log, settings: [...log.settings, ...log.settings] }, delivery);
    for (const tenantId of world.tenantIds) {
      for (const [profileId, names] of await readMembers(harness.db, tenantId)) {
        const id = publicIds.encode("profile", tenantId, profileId);
        const [name = ""] = names.filter((one) => one.startsWith("person "));
        const [type = "", value = ""] = name.slice("person ".length).split(/:(.*)/);
        if (name) expect(await get(world, tenantId, `/api/cdp/profiles/lookup?${new URLSearchParams({ type, value })}`)).toMatchObject({ id });
        for (const other of world.tenantIds.filter((one) => one !== tenantId)) {
          await expect(get(world, other, `/api/cdp/profiles/${id}`)).rejects.toThrow("404");
        }
      }
    }
  }), { numRuns: 10, ...limit });
}, 300_000);

interface Told {
  rows: number;
  numbers: number;
  events: number;
  overrides: number;
}

/** Rows that draining wrote for tenants: as many as there are outbox numbers and event ids among them. */
async function countTold(tenantIds: number[]): Promise<Told> {
  const [told] = await harness.history.query<Told>(
    `select count() rows, uniqExact(log_pos) numbers, uniqExact(event_key) events,
            (select count() from identity_profile final where tenant in {tenantIds:Array(UInt32)}) overrides
       from events where tenant in {tenantIds:Array(UInt32)} and kind = 'system'`,
    { tenantIds },
  );
  return told as Told;
}

test("whatever the batching and however often draining fails, history knows each identity's profile and tells each merge once", async () => {
  let merges = 0;
  await fc.assert(fc.asyncProperty(randomLog(40), randomDelivery, randomFaults(6), fc.boolean(), async (log, delivery, faults, atTheEnd) => {
    const world = await work(log, atTheEnd ? { ...delivery, drains: [false] } : delivery);
    await drainAll(world, faults);
    const told = await countTold(world.tenantIds);
    expect([told.numbers, told.events]).toEqual([told.rows, told.rows]);
    expect(await world.process.activate.drain()).toBe(0);
    expect(await countTold(world.tenantIds)).toEqual(told);

    for (const tenantId of world.tenantIds) {
      const present = await harness.db.query<{ identity: number; profile: number }>(
        "select identity_id as identity, profile_id as profile from identity where tenant_id = $1 order by 1", [tenantId]);
      const overrides = await harness.history.query<{ identity: number; profile: number }>(
        "select identity, profile from identity_profile final where tenant = {tenantId:UInt32}", { tenantId });
      const profileOf = new Map(overrides.map(({ identity, profile }) => [identity, profile]));
      expect(present.map(({ identity }) => ({ identity, profile: profileOf.get(identity) ?? identity }))).toEqual(present);
      merges += await checkMerges(world, tenantId, new Set(present.map(({ profile }) => profile)));
    }
  }), { numRuns: 20, ...limit });
  expect(merges).toBeGreaterThan(0);
}, 300_000);

test("a profile that was absorbed and falls apart again enters a segment again, as another event", async () => {
  const settings = { ...defaultTenantSettings, identifierKinds: defaultTenantSettings.identifierKinds.map((kind) => ({ ...kind, partnersMax: 2 })) };
  const world = await harness.startWorld([settings], { memoryBytes: 1 << 20, bufferBytesMax: 1_000_000, cacheMax: 1000, rebuild: false }, []);
  const toIdentifier = (name: string): Identifier => ({ entity: "person", kind: name.split(":")[0] ?? "", value: name });
  const story = ["email:a", "email:b", "email:a device_id:d", "email:b device_id:d", "email:c device_id:d"];
  for (const [at, names] of story.entries()) {
    const identifiers = names.split(" ").map(toIdentifier);
    await world.append([anEvent({ tenantId: 0, ts: t0 + at, identifiers, ...(at === 1 && { traits: { plan: "pro" } }) })]);
    await world.process.pipeline.process(await world.log.readAt(0, [at + 1]));
  }
  await drainAll(world, []);
  const [, b] = await harness.db.query<{ id: number }>(
    "select identity_id as id from identity where tenant_id = $1 and kind = 'email' order by 1", world.tenantIds);
  const told = await harness.history.query<{ eventId: string }>(
    "select event_id eventId from events where identity = {b:UInt64} and name = 'pro_plan ENTER'", { b: b?.id });
  expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(2);
}, 60_000);

/** Every merge stands in the timeline of the profile that its parts are in now, or were in before it fell apart. */
async function checkMerges(world: World, tenantId: number, profileIds: Set<number>): Promise<number> {
  const shown: { kind: string; type: string; properties: { profileId: string; absorbedProfileIds: string[] } }[] = [];
  for (const profileId of profileIds) {
    const id = publicIds.encode("profile", tenantId, profileId);
    shown.push(...(await get<typeof shown>(world, tenantId, `/api/cdp/profiles/${id}/timeline?limit=1000`)));
  }
  const merges = shown.filter(({ kind, type }) => kind === "system" && type === "profile_merged");
  for (const { properties } of merges) {
    const ids = [properties.profileId, ...properties.absorbedProfileIds];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) await get(world, tenantId, `/api/cdp/profiles/${id}`);
  }
  const [all] = await harness.history.query<{ n: number }>(
    "select count() n from events where tenant = {tenantId:UInt32} and name = 'profile_merged'", { tenantId });
  expect(merges).toHaveLength(all?.n ?? 0);
  return merges.length;
}

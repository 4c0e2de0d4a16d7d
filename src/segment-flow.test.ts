import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CanonicalEvent, Identifier } from "./contracts/canonical-event.ts";
import type { JsonObject, JsonValue } from "./contracts/json.ts";
import { defaultTenantSettings } from "./core/tenant-defaults.ts";
import { anEvent, t0 } from "./testing/events.ts";
import type { Fault } from "./testing/faulty-stores.ts";
import { openPipelineHarness, publicIds, type PipelineHarness, type World } from "./testing/pipeline-harness.ts";
import { get } from "./testing/read-profiles.ts";

// Segments on the whole path: from accepted events to memberships, and to ENTER and EXIT in the timeline.

let harness: PipelineHarness;
beforeAll(async () => {
  harness = await openPipelineHarness();
});
afterAll(() => harness.close());

const options = { memoryBytes: 1 << 20, bufferBytesMax: 1_000_000, cacheMax: 10_000, rebuild: false };
const newWorld = (faults: Fault[] = []): Promise<World> => harness.startWorld([defaultTenantSettings], options, faults);
const person = (...names: string[]): Identifier[] =>
  names.map((name) => ({ entity: "person", kind: name.split(":")[0] as string, value: name.split(":")[1] as string }));
const says = (at: number, names: string[], traits?: JsonObject, more: Partial<CanonicalEvent> = {}): Partial<CanonicalEvent> =>
  ({ ts: t0 + at, identifiers: person(...names), ...(traits && { traits }), ...more });

/** Brings events into state as one batch. */
async function batch(world: World, ...events: Partial<CanonicalEvent>[]): Promise<void> {
  const from = world.log.head(0);
  await world.append(events.map((event) => anEvent({ ...event, tenantId: 0 })));
  world.faults.armed = false; // they are for the deliveries
  await world.process.pipeline.process(await world.log.readAt(0, events.map((_, at) => from + at)));
}

async function drain(world: World): Promise<void> {
  while ((await world.process.activate.drain()) > 0);
}

interface Told {
  profile: number;
  name: string;
  eventId: string;
  at: number;
}
/** Entries and exits as history has them, in the order in which they were told. */
async function told(world: World): Promise<Told[]> {
  await drain(world);
  const rows = await harness.history.query<Told>(
    `select identity profile, name, event_id eventId, toUnixTimestamp64Milli(ts) at from events
      where tenant = {tenant:UInt32} and kind = 'system' and startsWith(name, 'pro_plan') order by log_pos`,
    { tenant: world.tenantIds[0] as number },
  );
  return rows.map((row) => ({ ...row, at: row.at - t0 }));
}

interface Shown {
  id: string;
  attributes: { plan?: JsonValue };
  segments: string[];
  totalEvents: number;
}
async function profileOf(world: World, name: string): Promise<Shown> {
  const [type = "", value = ""] = name.split(":");
  return await get<Shown>(world, world.tenantIds[0] as number, `/api/cdp/profiles/lookup?${new URLSearchParams({ type, value })}`);
}
const isPro = async (world: World, name: string): Promise<boolean> => (await profileOf(world, name)).segments.length > 0;
const names = (changes: Told[]): string[] => changes.map(({ name }) => name);

let world: World;
beforeEach(async () => {
  world = await newWorld();
});

describe("pro_plan", () => {
  const u1 = ["external_id:u1"];

  test("is entered once, by the time of the latest event of the batch, and stands in profile, timeline and stats", async () => {
    await batch(world, says(0, u1, { plan: "pro" }), says(7, u1), says(3, u1));
    await batch(world, says(10, u1, { plan: "pro", name: "Ann" }));
    const [tenantId = 0] = world.tenantIds;
    expect(await told(world)).toEqual([{ profile: expect.any(Number), name: "pro_plan ENTER", eventId: expect.stringMatching(/^seg-evt-[0-9a-f]+$/), at: 7 }]);
    const shown = await profileOf(world, "external_id:u1");
    expect(shown).toMatchObject({ segments: [publicIds.encode("segment", tenantId, 2)], totalEvents: 4 });
    const timeline = await get<{ type: string; kind: string; properties: object }[]>(world, tenantId, `/api/cdp/profiles/${shown.id}/timeline`);
    expect(timeline.filter(({ kind }) => kind === "system")).toMatchObject([
      { type: "pro_plan ENTER", properties: { segment: "pro_plan", segmentId: shown.segments[0] } },
    ]);
    expect(await get(world, tenantId, "/api/cdp/stats")).toMatchObject({ totalSegments: 1, totalEvents: 4 });
  });

  test("is left when the plan changes or is deleted, and can be entered again", async () => {
    for (const [at, plan] of ["pro", "free", "pro", null].entries()) await batch(world, says(at, u1, { plan }));
    expect(names(await told(world))).toEqual(["pro_plan ENTER", "pro_plan EXIT", "pro_plan ENTER", "pro_plan EXIT"]);
    expect(await isPro(world, "external_id:u1")).toBe(false);
  });

  test("does not flicker within a batch, nor by a value that lost", async () => {
    await batch(world, says(0, u1, { plan: "pro" }), says(1, u1, { plan: "free" }), says(2, u1, { plan: "pro" }));
    await batch(world, says(1, u1, { plan: "free" }));
    expect(names(await told(world))).toEqual(["pro_plan ENTER"]);
  });

  test("is kept by events that carry no traits", async () => {
    await batch(world, says(0, u1, { plan: "pro" }));
    await batch(world, says(1, u1));
    expect([await isPro(world, "external_id:u1"), names(await told(world))]).toEqual([true, ["pro_plan ENTER"]]);
  });

  test("of an import is silent; the change that a live event brings is told", async () => {
    const imported = { historical: true };
    await batch(world, says(0, u1, { plan: "pro" }, imported), says(1, u1, undefined, imported));
    expect([await isPro(world, "external_id:u1"), await told(world)]).toEqual([true, []]);
    await batch(world, says(5, u1, { plan: "free" }, imported), says(4, u1));
    expect(await told(world)).toMatchObject([{ name: "pro_plan EXIT", at: 5 }]);
  });
});

describe("profiles that become one or several", () => {
  const both = says(9, ["email:a@x.org", "anonymous_id:c1"]);

  test("of merged ones the survivor leaves what the later plan of the other ends", async () => {
    await batch(world, says(0, ["email:a@x.org"], { plan: "pro" }), says(1, ["anonymous_id:c1"], { plan: "free" }));
    await batch(world, both);
    const [enter, exit, ...more] = await told(world);
    expect([enter, exit, more]).toMatchObject([{ name: "pro_plan ENTER" }, { name: "pro_plan EXIT", profile: enter?.profile, at: 9 }, []]);
  });

  test("of merged ones the survivor enters by the other's later plan, whose own membership ends silently", async () => {
    await batch(world, says(0, ["email:a@x.org"], { plan: "free" }), says(1, ["anonymous_id:c1"], { plan: "pro" }));
    await batch(world, both);
    const changes = await told(world);
    expect(names(changes)).toEqual(["pro_plan ENTER", "pro_plan ENTER"]);
    const shown = await profileOf(world, "anonymous_id:c1");
    expect(changes[1]?.profile).toBe(publicIds.decode("profile", world.tenantIds[0] as number, shown.id));
    expect([changes[0]?.profile === changes[1]?.profile, shown.segments.length]).toEqual([false, 1]);
  });

  test("what an earlier link takes away is evaluated anew, also for the side that had no event", async () => {
    await batch(world, says(10, ["external_id:u1", "anonymous_id:c1"], { plan: "pro" }), says(20, ["anonymous_id:c1"], { plan: "free" }));
    expect([await isPro(world, "external_id:u1"), await told(world)]).toEqual([false, []]);
    await batch(world, says(5, ["external_id:u2", "anonymous_id:c1"]));
    expect(await told(world)).toMatchObject([{ name: "pro_plan ENTER", at: 10 }]);
    expect([await isPro(world, "external_id:u1"), await isPro(world, "anonymous_id:c1")]).toEqual([true, false]);
  });

  test("is silent where nothing but an import did it", async () => {
    await batch(world, says(10, ["external_id:u1", "anonymous_id:c1"], { plan: "pro" }), says(20, ["anonymous_id:c1"], { plan: "free" }));
    await batch(world, says(5, ["external_id:u2", "anonymous_id:c1"], undefined, { historical: true }));
    expect([await isPro(world, "external_id:u1"), await told(world)]).toEqual([true, []]);
  });
});

test.each([0, 1, 2, 3])("a change whose delivery fails after call %i and is repeated stands in history once", async (after) => {
  const failing = await newWorld([{ after, kind: "lost", restart: false }]);
  await batch(failing, says(0, ["external_id:u1"], { plan: "pro" }));
  await drain(failing);
  await batch(failing, says(1, ["external_id:u1"], { plan: "free" }));
  failing.faults.armed = true;
  await expect(failing.process.activate.drain()).rejects.toThrow("injected");
  expect(names(await told(failing))).toEqual(["pro_plan ENTER", "pro_plan EXIT"]);
});

test("however plans change and people become one, in any batches, each profile's entries and exits take turns and end at its plan", async () => {
  const people = ["email:a@x.org", "email:b@x.org", "anonymous_id:c1", "anonymous_id:c2"];
  const event = fc.tuple(fc.nat({ max: 30 }), fc.subarray(people.slice(0, 2), { maxLength: 1 }), fc.subarray(people.slice(2), { maxLength: 1 }),
    fc.option(fc.constantFrom<JsonValue[]>("pro", "pro", "free", null), { nil: undefined }));
  await fc.assert(fc.asyncProperty(fc.array(fc.array(event, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }), async (batches) => {
    const living = await newWorld();
    for (const drawn of batches) {
      await batch(living, ...drawn.map(([at, email, cookie, plan]) => says(at, [...email, ...cookie], plan === undefined ? undefined : { plan })));
    }
    const changes = Map.groupBy(await told(living), ({ profile }) => profile);
    for (const own of changes.values()) {
      expect(names(own)).toEqual(own.map((_, at) => `pro_plan ${at % 2 === 0 ? "ENTER" : "EXIT"}`));
      expect(new Set(own.map(({ eventId }) => eventId)).size).toBe(own.length);
    }
    const used = new Set(batches.flat().flatMap(([, email, cookie]) => [...email, ...cookie]));
    for (const name of used) {
      const shown = await profileOf(living, name);
      const profile = publicIds.decode("profile", living.tenantIds[0] as number, shown.id) as number;
      const [isMember, lastTold] = [shown.segments.length > 0, changes.get(profile)?.at(-1)?.name];
      expect([isMember, lastTold === "pro_plan ENTER"]).toEqual([shown.attributes.plan === "pro", isMember]);
    }
  }), { numRuns: 20, endOnFailure: true });
}, 120_000);

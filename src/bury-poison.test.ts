import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultTenantSettings } from "./core/tenant-defaults.ts";
import { untilDone } from "./testing/deliver-log.ts";
import { anEvent } from "./testing/events.ts";
import type { Fault } from "./testing/faulty-stores.ts";
import { openPipelineHarness, type PipelineHarness, type World } from "./testing/pipeline-harness.ts";

// An event that history cannot take, and at every step of what is done with it a database that fails.

let harness: PipelineHarness;
beforeAll(async () => {
  harness = await openPipelineHarness();
});
afterAll(() => harness.close());

const options = { memoryBytes: 1 << 20, bufferBytesMax: 1_000_000, cacheMax: 10_000, rebuild: false };
const ids = ["before", "poison", "after"];

async function idsIn(world: World, table: string): Promise<string[]> {
  const rows = await harness.history.query<{ id: string }>(
    `select event_id id from ${table} where tenant = {tenant:UInt32} order by id`, { tenant: world.tenantIds[0] as number });
  return rows.map(({ id }) => id);
}

async function totalEvents(world: World): Promise<number> {
  const [row] = await harness.db.query<{ total: number }>("select coalesce(sum(total_events), 0)::int total from profile_hot where tenant_id = $1", [world.tenantIds[0]]);
  return row?.total ?? 0;
}

async function process(fault: Fault): Promise<World> {
  const world = await harness.startWorld([defaultTenantSettings], options, [fault]);
  await world.append(ids.map((eventId) => anEvent({ eventId, tenantId: 0, identifiers: [{ entity: "person", kind: "external_id", value: "u1" }] })));
  world.faults.poison = "poison";
  const open = (): number[] => [1, 2, 3].filter((position) => !world.process.partition.positions.has(position));
  for (let rest = open(); rest.length > 0; rest = open()) {
    await untilDone(world, async () => await world.process.pipeline.process(await world.log.readAt(0, rest)));
  }
  return world;
}

test("an event that was put aside as the last of its batch counts when it is replayed", async () => {
  const world = await harness.startWorld([defaultTenantSettings], options, []);
  const event = (eventId: string) => anEvent({ eventId, tenantId: 0, identifiers: [{ entity: "person", kind: "external_id", value: "u1" }] });
  await world.append([event("first"), event("second"), { ...event("second"), replay: true }]);
  // The second batch is done with care from the start, because the one before it failed.
  for (const [at, poison] of ["first", "second", undefined].entries()) {
    world.faults.poison = poison;
    await world.process.pipeline.process(await world.log.readAt(0, [at + 1]));
  }
  expect(await idsIn(world, "events_held final")).toEqual(["first", "second"]);
  expect({ history: await idsIn(world, "events"), total: await totalEvents(world) }).toEqual({ history: ["second"], total: 1 });
});

const kinds: Fault["kind"][] = ["refused", "lost"];
describe.each(kinds)("a call is %s", (kind) => {
  test.each([false, true])("whichever it is, the event is listed once and its neighbours count once; the process dies of it: %s", async (restart) => {
    let after = 0;
    for (let world = await process({ after, kind, restart }); world.faults.latest; world = await process({ after: ++after, kind, restart })) {
      expect({ after, history: await idsIn(world, "events"), held: await idsIn(world, "events_held final"), total: await totalEvents(world) })
        .toEqual({ after, history: ["after", "before"], held: ["poison"], total: 2 });
    }
    expect(after).toBeGreaterThan(15);
  });
});

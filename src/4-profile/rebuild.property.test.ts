import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { InState } from "../contracts/pipeline-event.ts";
import { decodeBatch } from "../core/decode-batch.ts";
import { readPositions } from "../stores/postgres/partitions.ts";
import { deliver, randomDelivery } from "../testing/deliver-log.ts";
import { openPipelineHarness, type PipelineHarness, type World } from "../testing/pipeline-harness.ts";
import { randomLog } from "../testing/random-log.ts";
import { compact, totalSessions } from "./fold.ts";
import { keyOf, readHot, readTraits } from "./queries/profile-rows.ts";
import type { ProfileState } from "./state.ts";
import { createFoldHistory, type Refold } from "./steps/fold-history.ts";

// Rebuild = live: after whatever happened on the way, history says of every profile what its row says.

/** Shrinking ends in time to print what was found. */
const limit = { interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true };

let harness: PipelineHarness;
beforeAll(async () => {
  harness = await openPipelineHarness();
});
afterAll(() => harness.close());

const sorted = <V>(map: Map<string, V>): [string, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Everything a state says; what it forgot on the way is not among it. */
const meaning = ({ orders, sessions: _, traits, revenueByCurrency, ...state }: ProfileState, sessions: number) =>
  ({ ...state, sessions, traits: sorted(traits), revenueByCurrency: sorted(revenueByCurrency), orders: orders.kept.size + orders.forgotten });

/** Every identity of a tenant, with the members of its profile. */
async function profilesOf(tenantId: number): Promise<Refold[]> {
  return await harness.db.query<Refold>(
    `select tenant_id as "tenantId", profile_id as "profileId", array_agg(identity_id) as members
       from identity where tenant_id = $1 group by 1, 2`, [tenantId]);
}

async function liveStates(profiles: Refold[]): Promise<Map<string, ProfileState>> {
  const rows = await readHot(harness.db, profiles, false);
  await readTraits(harness.db, profiles, rows);
  return new Map([...rows].map(([key, { memberships: _, version: _version, ...state }]) => [key, state]));
}

/** Writes the rest of the log to history as a process does that dies before its state transaction. */
async function dieBeforeState(world: World, from: number): Promise<void> {
  const { process, log } = world;
  const { items } = await decodeBatch(process.partition.partitionId, await log.read(0, from, 1000, 1e9));
  const identities = await process.resolve.mint(items.map(({ event }) => event));
  items.forEach((item, i) => (item.identities = identities[i] ?? []));
  await process.profile.writeHistory(items);
}

test("every profile that is folded anew from history is what its row says, rows that never reached state left out", async () => {
  let folded = 0;
  await fc.assert(fc.asyncProperty(randomLog(40), randomDelivery, randomLog(5), async (log, delivery, unfinished) => {
    const world = await harness.startWorld(log.settings, delivery.options, delivery.faults);
    await deliver(world, log, delivery);
    world.faults.armed = false;
    const end = world.log.head(0);
    const tenants = log.settings.length;
    await world.append(unfinished.events.map((event) => ({ ...event, eventId: `unfinished ${event.eventId}`, tenantId: event.tenantId % tenants })));
    await dieBeforeState(world, end);

    const positions = await readPositions(harness.db);
    const inState: InState = (partition, position) => positions.get(partition)?.has(position) ?? false;
    const profiles = (await Promise.all(world.tenantIds.map(profilesOf))).flat();
    const live = await liveStates(profiles);
    const anew = await createFoldHistory({ history: harness.history, settingsOf: world.settingsOf })(profiles, inState);
    for (const [profile, state] of anew) {
      const row = live.get(keyOf(profile));
      if (!row) {
        expect(state.totalEvents).toBe(0);
        continue;
      }
      folded += 1;
      compact(state);
      expect(meaning(state, totalSessions(state))).toEqual(meaning(row, totalSessions(row)));
    }
  }), { numRuns: 30, ...limit });
  expect(folded).toBeGreaterThan(50);
}, 300_000);

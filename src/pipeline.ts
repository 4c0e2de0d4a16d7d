import type { LogRecord } from "./contracts/event-log.ts";
import type { IdentityId, ProfileId, Regrouping } from "./contracts/identity.ts";
import type { Logger } from "./contracts/logger.ts";
import type { Meters } from "./contracts/meters.ts";
import type { Held, InState, PipelineEvent } from "./contracts/pipeline-event.ts";
import type { Window } from "./2-window/index.ts";
import type { Resolve } from "./3-resolve/index.ts";
import type { Delta, Profile } from "./4-profile/index.ts";
import type { Segment } from "./5-segment/index.ts";
import type { Activate } from "./6-activate/index.ts";
import type { PositionSet } from "./core/position-set.ts";
import { decodeBatch } from "./core/decode-batch.ts";
import { startLaps } from "./laps.ts";
import { createIsolation, PartlyDoneError } from "./isolate-poison.ts";
import type { Db, Tx } from "./stores/postgres/db.ts";
import { lockPartition, readPositions, savePositions, type OwnedPartition } from "./stores/postgres/partitions.ts";

/**
 * The path of an event behind the log, in order. Each batch is committed exactly once in effect: history first, under
 * log positions that tell a repeated row; then everything else in one transaction that also records the positions.
 *
 *   log → 2-window → 3-resolve → 4-profile → history → state, 5-segment → 6-activate
 */
export interface PipelineDeps {
  partition: OwnedPartition;
  /** Head of the log when the partition was taken. */
  takenAtHead: number;
  db: Db;
  window: Window;
  resolve: Resolve;
  profile: Profile;
  segment: Segment;
  activate: Activate;
  meters: Meters;
  logger: Logger;
  /** True when an error is about the rows of the batch, so that halving finds the culprit; else it is an outage. */
  isPoison(error: unknown): boolean;
  /** True when all databases answer. */
  healthy(): Promise<boolean>;
}

export interface Pipeline {
  /** Processes records of the log. Resolves when they are in history and state; throws on an outage, and may be called again. */
  process(records: LogRecord[]): Promise<void>;
}

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { partition, meters } = deps;
  const commit = createCommit(deps);
  /** Up to this position history may have rows already: of a process before this one, or of a try that failed. */
  let doubtfulTo = deps.takenAtHead;

  async function processBatch(records: LogRecord[]): Promise<void> {
    const laps = startLaps();
    const { items, broken } = decodeBatch(partition.partitionId, records);
    const { fresh } = await deps.window.findDuplicates(items);
    laps.end("duplicatesMs");
    const live = fresh.filter((item) => !item.event.held);
    const late = fresh.filter((item) => item.event.held).map((item): Held => ({ item, state: "quarantined", reason: "late", detail: "" }));

    const identities = await deps.resolve.mint(live.map((item) => item.event));
    live.forEach((item, at) => (item.identities = identities[at] ?? []));
    laps.end("mintMs");
    const { deltas, failed } = deps.profile.fold(live);
    laps.end("foldMs");
    const rejected = [...broken, ...failed].map(({ item, error }) => rejection(item, error));
    const dead = new Set(rejected.map((held) => held.item));
    const good = live.filter((item) => !dead.has(item));

    await deps.window.hold([...late, ...rejected]);
    await deps.profile.writeHistory(await notInHistory(good));
    deps.window.remember(good);
    laps.end("historyMs");
    await commit(good, deltas, records);
    laps.end("stateMs");
    deps.logger.debug({ events: records.length, profiles: deltas.size, ...laps.ms() }, "batch processed");
    meters.add("cdp_events_processed", good.length);
    meters.add("cdp_events_dead_lettered", rejected.length);
  }

  /** The last resort for one event that some step cannot take: kept, listed, and out of the way of the others. */
  async function bury(record: LogRecord, error: unknown): Promise<void> {
    const { items, broken } = decodeBatch(partition.partitionId, [record]);
    await deps.profile.removeFromHistory(partition.partitionId, record.position);
    await deps.window.hold([...items, ...broken.map((one) => one.item)].map((item) => rejection(item, error)));
    await commit([], new Map(), [record]);
    meters.add("cdp_events_dead_lettered");
  }

  /** Leaves out the rows that a process before this one, or a try that failed, has written. */
  async function notInHistory(items: PipelineEvent[]): Promise<PipelineEvent[]> {
    const doubtful = items.filter((item) => item.position <= doubtfulTo).map((item) => item.position);
    if (doubtful.length === 0) return items;
    const there = await deps.profile.positionsInHistory(partition.partitionId, doubtful);
    return items.filter((item) => !there.has(item.position));
  }

  async function run(records: LogRecord[]): Promise<void> {
    try {
      await processBatch(records);
    } catch (error) {
      for (const record of records) doubtfulTo = Math.max(doubtfulTo, record.position);
      throw error;
    }
  }

  return { process: createIsolation({ positions: partition.positions, run, bury, isPoison: deps.isPoison, healthy: deps.healthy, logger: deps.logger }) };
}

const rejection = (item: PipelineEvent, error: unknown): Held => ({ item, state: "rejected", reason: "not_processable", detail: String(error) });

type Commit = (good: PipelineEvent[], deltas: Map<string, Delta>, records: LogRecord[]) => Promise<void>;

/** The state transaction of a batch: everything it changes and the positions that say so, or nothing. */
function createCommit({ db, partition, resolve, profile, segment, activate }: PipelineDeps): Commit {
  async function writeState(tx: Tx, good: PipelineEvent[], deltas: Map<string, Delta>, positions: PositionSet): Promise<void> {
    const wanted = identitiesOf(good);
    const before = await resolve.lockIdentities(tx, wanted);
    const links = resolve.linksOf(good.map((item) => item.event), good.map((item) => item.identities), good.map((item) => item.key));
    const regrouping = await resolve.decide(tx, links, firstSeen(tx, deltas, before));
    const after = isQuiet(regrouping) ? before : await resolve.lockIdentities(tx, wanted);
    const changed = await profile.writeState(tx, {
      deltas: deltas.values(),
      regrouping,
      profileOf: (tenantId, anchor) => after.get(`${tenantId}:${anchor}`) ?? anchor,
      inState: () => positionsInState(tx, positions),
      evaluateSegments: segment.evaluate,
    });
    await activate.enqueue(tx, { regrouping, ...changed });
  }

  /** When profiles were first seen, this batch's events included: it decides which of two merging ones survives. */
  const firstSeen = (tx: Tx, deltas: Map<string, Delta>, before: Map<string, ProfileId>) => async (tenantId: number, profileIds: ProfileId[]) => {
    const seen = await profile.firstSeenOf(tx, tenantId, profileIds);
    const asked = new Set(profileIds);
    for (const delta of deltas.values()) {
      const profileId = before.get(`${delta.tenantId}:${delta.anchor}`);
      if (delta.tenantId !== tenantId || profileId === undefined || !asked.has(profileId)) continue;
      seen.set(profileId, Math.min(seen.get(profileId) ?? Infinity, delta.state.firstSeen));
    }
    return seen;
  };

  async function positionsInState(tx: Tx, own: PositionSet): Promise<InState> {
    const all = await readPositions(db.in(tx));
    all.set(partition.partitionId, own);
    return (partitionId, position) => all.get(partitionId)?.has(position) ?? false;
  }

  return async function commit(good, deltas, records) {
    const done = records.map((record) => record.position);
    try {
      await db.transaction(async (tx) => {
        const positions = await lockPartition(db.in(tx), partition.partitionId, partition.epoch);
        // A commit whose answer was lost.
        const there = done.filter((position) => positions.has(position));
        if (there.length > 0) throw new PartlyDoneError(there);
        positions.add(done);
        if (good.length > 0) await writeState(tx, good, deltas, positions);
        await savePositions(db.in(tx), partition.partitionId, positions);
      });
      resolve.settle(true);
    } catch (error) {
      resolve.settle(false);
      throw error;
    }
    partition.positions.add(done);
  };
}

const isQuiet = ({ merged, refold, gone }: Regrouping): boolean => merged.length + refold.length + gone.length === 0;

function identitiesOf(items: PipelineEvent[]): { tenantId: number; identityId: IdentityId }[] {
  const wanted = new Map<string, { tenantId: number; identityId: IdentityId }>();
  for (const { event, identities } of items) {
    for (const identityId of identities) wanted.set(`${event.tenantId}:${identityId}`, { tenantId: event.tenantId, identityId });
  }
  return [...wanted.values()];
}

import type { Reached } from "./contracts/commit-step.ts";
import type { LogRecord } from "./contracts/event-log.ts";
import type { ProfileId, Regrouping } from "./contracts/identity.ts";
import type { Logger } from "./contracts/logger.ts";
import type { Meters } from "./contracts/meters.ts";
import type { Held, InState, PipelineEvent, SeenEvent } from "./contracts/pipeline-event.ts";
import type { Window } from "./2-window/index.ts";
import type { Resolve } from "./3-resolve/index.ts";
import type { Delta, Profile } from "./4-profile/index.ts";
import type { Segment } from "./5-segment/index.ts";
import type { Activate } from "./6-activate/index.ts";
import type { PositionSet } from "./core/position-set.ts";
import { decodeBatch } from "./core/decode-batch.ts";
import { startLaps, type Laps } from "./laps.ts";
import { createIsolation, PartlyDoneError } from "./isolate-poison.ts";
import { createOverlap, type Overlap } from "./overlap-batches.ts";
import type { Db, Tx } from "./stores/postgres/db.ts";
import { lockPartition, readPositions, savePositions, type OwnedPartition } from "./stores/postgres/partitions.ts";
import { StateMovedError } from "./stores/postgres/state-moved-error.ts";

/**
 * The path of an event behind the log, in order. Each batch is committed exactly once in effect: history first, under
 * log positions that tell a repeated row; then everything else in one transaction that also records the positions.
 *
 *   log → 2-window → 3-resolve → 4-profile → history → state, 5-segment → 6-activate
 */
export interface PipelineDeps {
  partition: OwnedPartition;
  /** Positions that history had and state had not when the partition was taken. */
  inHistory: Set<number>;
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
  reached: Reached;
}

export interface Pipeline extends Overlap {
  /** Processes records of the log. Resolves when they are in history and state; throws on an outage, and may be called again. */
  process(records: LogRecord[]): Promise<void>;
}

/** A batch on its way. */
interface Prepared {
  records: LogRecord[];
  good: PipelineEvent[];
  /** What is kept without being applied. */
  held: Held[];
  deltas: Map<string, Delta>;
  laps: Laps;
}

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { partition, meters } = deps;
  const { positions } = partition;
  const commit = createCommit(deps);
  /** Positions that history may have and state has not, because this process came so far with them. */
  const attempted = new Set<number>();
  /** Events on their way into history, by key: for duplicates they are there already. */
  const unwritten = new Map<string, SeenEvent>();

  async function prepare(records: LogRecord[]): Promise<Prepared> {
    const laps = startLaps();
    const wanted = records.filter((record) => !positions.has(record.position));
    const { items, broken } = decodeBatch(partition.partitionId, wanted);
    const { fresh } = await deps.window.findDuplicates(items, (key) => unwritten.get(key));
    const live = fresh.filter((item) => !item.event.held);
    const late = fresh.filter((item) => item.event.held).map((item): Held => ({ item, state: "quarantined", reason: "late", detail: "" }));
    await deps.reached("deduplicated", live);
    laps.end("duplicatesMs");

    const identities = await deps.resolve.mint(live.map((item) => item.event));
    live.forEach((item, at) => (item.identities = identities[at] ?? []));
    await deps.reached("minted", live);
    laps.end("mintMs");
    const { deltas, failed } = deps.profile.fold(live);
    await deps.reached("folded", live);
    laps.end("foldMs");

    const rejected = [...broken, ...failed].map(({ item, error }) => rejection(item, error));
    const dead = new Set(rejected.map((held) => held.item));
    const good = live.filter((item) => !dead.has(item));
    const held = [...late, ...rejected];
    // Before the insert: of one that fails half-way history may have rows, and a memory that knows too much only asks it.
    deps.window.remember([...good, ...held.map((one) => one.item)]);
    for (const item of good) unwritten.set(item.key, seen(item, false));
    for (const { item } of held) unwritten.set(item.key, seen(item, true));
    return { records: wanted, good, held, deltas, laps };
  }

  async function insert({ good, held, laps }: Prepared): Promise<void> {
    await deps.window.hold(held);
    await deps.profile.writeHistory(await notInHistory(good));
    await deps.reached("history-written", good);
    laps.end("historyMs");
    // What is known to be in history need not be remembered as on its way.
    for (const item of good) unwritten.delete(item.key);
    for (const { item } of held) unwritten.delete(item.key);
    meters.add("cdp_events_dead_lettered", held.filter((one) => one.state === "rejected").length);
  }

  async function commitPrepared({ records, good, deltas, laps }: Prepared): Promise<void> {
    laps.end("waitedMs");
    await commit(good, deltas, records);
    laps.end("stateMs");
    forget(records);
    meters.add("cdp_events_processed", good.length);
    deps.logger.debug({ events: records.length, profiles: deltas.size, ...laps.ms() }, "batch processed");
  }

  /** The last resort for one event that some step cannot take: kept, listed, and out of the way of the others. */
  async function bury(record: LogRecord, error: unknown): Promise<void> {
    const { items, broken } = decodeBatch(partition.partitionId, [record]);
    for (const { key } of items) unwritten.delete(key);
    await deps.profile.removeFromHistory(partition.partitionId, record.position);
    await deps.window.hold([...items, ...broken.map((one) => one.item)].map((item) => rejection(item, error)));
    await commit([], new Map(), [record]);
    forget([record]);
    meters.add("cdp_events_dead_lettered");
  }

  function forget(records: LogRecord[]): void {
    for (const { position } of records) {
      attempted.delete(position);
      deps.inHistory.delete(position);
    }
  }

  /** Leaves out the rows that a process before this one, or a try that failed, has written. */
  async function notInHistory(items: PipelineEvent[]): Promise<PipelineEvent[]> {
    const doubtful = items.map((item) => item.position).filter((position) => attempted.has(position));
    for (const { position } of items) attempted.add(position);
    const there = doubtful.length === 0 ? new Set() : await deps.profile.positionsInHistory(partition.partitionId, doubtful);
    return items.filter((item) => !there.has(item.position) && !deps.inHistory.has(item.position));
  }

  async function run(records: LogRecord[]): Promise<void> {
    const prepared = await prepare(records);
    await insert(prepared);
    await commitPrepared(prepared);
  }
  const carefully = createIsolation({ positions, run, bury, isPoison: deps.isPoison, healthy: deps.healthy, logger: deps.logger });
  const overlap = createOverlap({ prepare, insert, commit: commitPrepared, carefully, logger: deps.logger });
  return Object.assign(overlap, {
    async process(records: LogRecord[]) {
      await overlap.take(records);
      await overlap.settle();
    },
  });
}

const seen = ({ partition, position, contentHash }: PipelineEvent, held: boolean): SeenEvent => ({ partition, position, contentHash, held });
const rejection = (item: PipelineEvent, error: unknown): Held => ({ item, state: "rejected", reason: "not_processable", detail: String(error) });

type AnchorKey = { tenantId: number; identityId: number };
type ProfileKey = { tenantId: number; profileId: ProfileId };
type Commit = (good: PipelineEvent[], deltas: Map<string, Delta>, records: LogRecord[]) => Promise<void>;

/** The state transaction of a batch: everything it changes and the positions that say so, or nothing. */
function createCommit({ db, partition, resolve, profile, segment, activate, reached }: PipelineDeps): Commit {
  /** `again` when a transaction before this one found that others had changed what it read. */
  async function writeState(tx: Tx, good: PipelineEvent[], deltas: Map<string, Delta>, positions: PositionSet, again: boolean): Promise<void> {
    const anchors = [...deltas.values()].map(({ tenantId, anchor }) => ({ tenantId, identityId: anchor }));
    const before = await resolve.profilesAt(tx, anchors);
    const links = resolve.linksOf(good.map((item) => item.event), good.map((item) => item.identities), good.map((item) => item.key));
    const regrouping = await resolve.decide(tx, links, firstSeen(tx, deltas, before));
    const after = again ? await resolve.profilesAt(tx, anchors) : regrouped(before, regrouping);
    const changed = await profile.writeState(tx, {
      deltas: deltas.values(),
      regrouping,
      profileOf: (tenantId, anchor) => after.get(`${tenantId}:${anchor}`) ?? anchor,
      lock: again,
      confirm: (withoutRow) => confirm(tx, withoutRow, anchors, after),
      inState: () => positionsInState(tx, positions),
      evaluateSegments: segment.evaluate,
    });
    await activate.enqueue(tx, { regrouping, ...changed });
  }

  /**
   * Makes sure that anchors are still in the profiles whose rows were read meanwhile. A profile without a row has nothing whose
   * version would tell that it is regrouped later, so its identities are locked.
   */
  async function confirm(tx: Tx, withoutRow: ProfileKey[], anchors: AnchorKey[], after: Map<string, ProfileId>): Promise<void> {
    const fresh = new Set(withoutRow.map(({ tenantId, profileId }) => `${tenantId}:${profileId}`));
    const isFresh = ({ tenantId, identityId }: AnchorKey): boolean => fresh.has(`${tenantId}:${after.get(`${tenantId}:${identityId}`)}`);
    const toLock = [...withoutRow.map(({ tenantId, profileId }) => ({ tenantId, identityId: profileId })), ...anchors.filter(isFresh)];
    const now = new Map([
      ...(toLock.length === 0 ? [] : await resolve.lockIdentities(tx, toLock)),
      ...(await resolve.profilesAt(tx, anchors.filter((anchor) => !isFresh(anchor)))),
    ]);
    for (const [id, profileId] of now) {
      const expected = after.get(id) ?? Number(id.slice(id.indexOf(":") + 1));
      if (profileId !== expected) throw new StateMovedError(`identity ${id} has moved to another profile`);
    }
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
    let tries = 0;
    try {
      await db.transaction(async (tx) => {
        const positions = await lockPartition(db.in(tx), partition.partitionId, partition.epoch);
        // A commit whose answer was lost.
        const there = done.filter((position) => positions.has(position));
        if (there.length > 0) throw new PartlyDoneError(there);
        positions.add(done);
        if (good.length > 0) await writeState(tx, good, deltas, positions, tries++ > 0);
        await savePositions(db.in(tx), partition.partitionId, positions);
        await reached("state-written", good);
      });
      resolve.settle(true);
    } catch (error) {
      resolve.settle(false);
      throw error;
    }
    partition.positions.add(done);
    await reached("committed", good);
  };
}

/** The profiles of identities after a regrouping. */
function regrouped(before: Map<string, ProfileId>, { merged, refold }: Regrouping): Map<string, ProfileId> {
  const after = new Map(before);
  const survivorOf = new Map(merged.flatMap(({ tenantId, survivor, absorbed }) => absorbed.map((profileId) => [`${tenantId}:${profileId}`, survivor])));
  if (survivorOf.size > 0) {
    for (const [id, profileId] of before) after.set(id, survivorOf.get(`${id.slice(0, id.indexOf(":"))}:${profileId}`) ?? profileId);
  }
  for (const { tenantId, profileId, members } of refold) {
    for (const member of members) if (after.has(`${tenantId}:${member}`)) after.set(`${tenantId}:${member}`, profileId);
  }
  return after;
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./contracts/logger.ts";
import { describeError } from "./core/describe-error.ts";
import type { Db } from "./stores/postgres/db.ts";
import { giveBack, layOutPartitions, leaveWork, type LeasedPartition, renewLease, reportForWork, takeFree, type Worker } from "./stores/postgres/leases.ts";

/** A partition that is worked on. */
export interface Running {
  /** Throws when processing does not get on. */
  check(): Promise<void>;
  /** Stops after the batches under way. */
  stop(): Promise<void>;
}

interface Deps<R extends Running> {
  db: Db;
  worker: Worker;
  shards: readonly number[];
  /** Starts to work on a partition; `holds` tells whether the lease surely lasts. */
  start(partition: LeasedPartition, holds: () => boolean): Promise<R>;
  logger: Logger;
}

export interface Leases<R extends Running> {
  /** What this process works on, by shard. */
  readonly running: ReadonlyMap<number, R>;
  /** Resolves when the partitions that were free at the start are worked on, or could not be. */
  readonly begun: Promise<void>;
  /** Throws when leases cannot be kept, or a partition does not get on. */
  check(): Promise<void>;
  /** Gives everything back, after the batches under way. */
  stop(): Promise<void>;
}

interface Held<R> {
  partition: LeasedPartition;
  /** Until when nobody else can have it, in milliseconds of `performance.now`. */
  lease: { sureUntil: number };
  /** Rejected when the start failed; the partition is then taken once more. */
  work: Promise<R>;
}

/** A lease is lengthened so many times in its time. */
const beatsPerLease = 4;

/** Of so many partitions, how many the worker of this rank has when all are shared out evenly. */
export const shareOf = (partitions: number, workers: number, rank: number): number =>
  Math.floor(partitions / Math.max(1, workers)) + (rank < partitions % Math.max(1, workers) ? 1 : 0);

/** The partitions that this process holds, from being taken to being lost or given back. */
function createHeld<R extends Running>({ db, worker: { leaseMs }, start, logger }: Deps<R>) {
  const held = new Map<number, Held<R>>();
  const running = new Map<number, R>();

  /** Starting takes its time, in which the leases of the others must be kept. */
  function begin(partition: LeasedPartition, askedAt: number): void {
    const { shard, epoch } = partition;
    const lease = { sureUntil: askedAt + leaseMs };
    const one: Held<R> = { partition, lease, work: start(partition, () => performance.now() < lease.sureUntil) };
    held.set(shard, one);
    one.work.then(
      (started) => {
        if (held.get(shard) === one) running.set(shard, started);
        logger.info({ shard, epoch }, "works on a partition of the log");
      },
      (error: unknown) => {
        held.delete(shard);
        logger.warn({ shard, error: describeError(error) }, "work on a partition of the log could not begin");
      },
    );
  }
  async function end({ partition: { shard }, work }: Held<R>): Promise<void> {
    const started = await work.catch(() => undefined);
    running.delete(shard);
    await started?.stop();
    held.delete(shard);
  }
  async function renew(one: Held<R>): Promise<void> {
    const { shard, partitionId, epoch } = one.partition;
    const askedAt = performance.now();
    if (await renewLease(db, partitionId, epoch, leaseMs)) return void (one.lease.sureUntil = askedAt + leaseMs);
    logger.warn({ shard }, "another process has taken a partition over");
    await end(one);
  }
  async function release(one: Held<R>): Promise<void> {
    await end(one);
    await giveBack(db, one.partition.partitionId, one.partition.epoch);
    logger.info({ shard: one.partition.shard }, "gave a partition of the log back");
  }
  const settled = async (): Promise<void> => void (await Promise.allSettled([...held.values()].map(({ work }) => work)));
  return { running, begin, renew, release, settled, shards: () => [...held.keys()], all: () => [...held.values()] };
}

/**
 * Shares the partitions of a log among the processes that live, without one that decides: each knows from its rank how many are
 * its own, takes free ones up to that, and gives back what is more. A process that dies loses its partitions when their leases run
 * out; one that wakes up later finds them under another epoch, which its commits do not have.
 */
export function leasePartitions<R extends Running>(deps: Deps<R>): Leases<R> {
  const { db, worker, shards, logger } = deps;
  const held = createHeld(deps);
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  let trouble: unknown;

  async function beat(): Promise<void> {
    const { workers, rank } = await reportForWork(db, worker);
    await Promise.all(held.all().map(held.renew));
    const share = shareOf(shards.length, workers, rank);
    await Promise.all(held.all().slice(share).map(held.release));
    const missing = share - held.shards().length;
    if (missing <= 0) return;
    const askedAt = performance.now();
    for (const partition of await takeFree(db, worker, held.shards(), missing)) held.begin(partition, askedAt);
  }
  async function keepBeating(): Promise<void> {
    let laidOut = false;
    while (!stopping.signal.aborted) {
      try {
        if (!laidOut) await layOutPartitions(db, worker.logId, shards);
        laidOut = true;
        await beat();
        trouble = undefined;
      } catch (error) {
        trouble = error;
        logger.warn({ error: describeError(error) }, "the leases of partitions could not be looked after");
      }
      void held.settled().then(first.resolve);
      await sleep(worker.leaseMs / beatsPerLease, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  const done = keepBeating();

  return {
    running: held.running,
    begun: first.promise,
    async check() {
      if (trouble !== undefined) throw new Error(`leases: ${describeError(trouble).message ?? describeError(trouble).name}`);
      await Promise.all([...held.running.values()].map((work) => work.check()));
    },
    async stop() {
      stopping.abort();
      await done;
      // What cannot be given back now is free when its lease has run out.
      await Promise.allSettled(held.all().map(held.release));
      await leaveWork(db, worker).catch(() => undefined);
    },
  };
}

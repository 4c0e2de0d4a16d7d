import { createResolve } from "../3-resolve/index.ts";
import type { EventLog } from "../contracts/event-log.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Tracing } from "../contracts/tracing.ts";
import { systemClock } from "../core/clock.ts";
import { leasePartitions } from "../lease-partitions.ts";
import { startPartitionWorker } from "../partition-worker.ts";
import { createPipeline } from "../pipeline.ts";
import { isBadHistoryData } from "../stores/clickhouse/connect.ts";
import { probePartition, takePartition, type OwnedPartition } from "../stores/postgres/partitions.ts";
import { isBadData } from "../stores/postgres/sqlstates.ts";
import type { Processing, Rooms, Worked } from "./rooms.ts";

interface Deps {
  rooms: Rooms;
  tracing: Tracing | undefined;
  log: EventLog;
  logger: Logger;
  tickMs: number;
  leaseMs: number;
  /** The same for all starts of this installation. */
  workerId: string;
  /** Whether other processes may append to the log and work on its partitions. */
  shared: boolean;
}

/** Identifiers and pairs that a process keeps in memory, however many partitions it works on. */
const cacheMax = 500_000;

/** Begins to process: the whole of a log that is this process's own, else its share of the partitions. */
export async function startProcessing(deps: Deps): Promise<Processing> {
  const { rooms, log, logger, leaseMs, workerId, shared } = deps;
  await rooms.resolve.advancePast(await rooms.profile.largestIdentity());
  const worker = { logId: log.logId, workerId, leaseMs };
  if (shared) {
    const leases = leasePartitions({ db: rooms.db, worker, shards: log.shards, logger, start: (partition, holds) => startOn(deps, partition.shard, partition, holds) });
    await leases.begun;
    return leases;
  }
  const [shard = 0] = log.shards;
  const worked = await startOn(deps, shard, await takePartition(rooms.db, log.logId, shard, workerId), () => true);
  return { running: new Map([[shard, worked]]), check: worked.check, stop: worked.stop };
}

async function startOn({ rooms, tracing, log, logger, tickMs }: Deps, shard: number, partition: OwnedPartition, holds: () => boolean): Promise<Worked> {
  const { db, history, profile, segment, activate, meters, reached } = rooms;
  const inHistory = await profile.positionsInHistoryFrom(partition.partitionId, partition.positions);
  await reached("owned", []);
  const window = rooms.window.open(log, shard, partition.positions);
  const { reader } = window;
  // What is known of links and profiles belongs to the transactions of one partition, which run one after the other.
  const resolve = createResolve({ ...rooms.resolveDeps, cacheMax: Math.ceil(cacheMax / log.shards.length) });
  const pipeline = createPipeline({
    partition, inHistory, db, window, resolve, profile, segment, activate, meters, logger, isPoison, reached, holds, tracing,
    // Without the lease nothing may be written, which is no fault of the events.
    healthy: async () => holds() && (await Promise.all([probePartition(db, partition), history.check()]).then(() => true, () => false)),
  });
  const worker = startPartitionWorker({ log, shard, partition, reader, pipeline, drain: activate.drain, clock: systemClock, meters, logger, tickMs, reached, holds });
  return {
    partition, reader, backlog: worker.backlog, check: worker.check,
    async stop() {
      await worker.stop();
      window.close();
    },
  };
}

/** Rows that a database refuses, and programs that trip over them. Anything else is an outage and is waited for. */
const isPoison = (error: unknown): boolean =>
  isBadData(error) || isBadHistoryData(error) || error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;

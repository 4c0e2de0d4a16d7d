import { createPositionSet } from "../../core/position-set.ts";
import type { Queries } from "./db.ts";
import type { OwnedPartition } from "./partitions.ts";

/** A process that shares the partitions of a log with others. Leases run on the database's clock. */
export interface Worker {
  logId: string;
  /** The same after a restart of the same installation, which then has its partitions back at once. */
  workerId: string;
  leaseMs: number;
}

/** A partition taken by lease. */
export interface LeasedPartition extends OwnedPartition {
  shard: number;
}

const forgottenAfter = "1 hour";

/** Makes the rows of a log's partitions, where they are missing. */
export async function layOutPartitions(q: Queries, logId: string, shards: readonly number[]): Promise<void> {
  await q.query("insert into log_partition (log_id, shard) select $1, shard from unnest($2::int[]) shard on conflict do nothing", [logId, shards]);
}

/** Says that the worker lives. Answers how many do, and how many of them come before it. */
export async function reportForWork(q: Queries, { logId, workerId, leaseMs }: Worker): Promise<{ workers: number; rank: number }> {
  await q.query(
    `insert into worker (log_id, worker_id, seen_until) values ($1, $2, now() + $3::float8 * interval '1 ms')
     on conflict (log_id, worker_id) do update set seen_until = excluded.seen_until`,
    [logId, workerId, leaseMs],
  );
  await q.query(`delete from worker where log_id = $1 and seen_until < now() - interval '${forgottenAfter}'`, [logId]);
  const rows = await q.query<{ id: string }>("select worker_id as id from worker where log_id = $1 and seen_until > now()", [logId]);
  return { workers: rows.length, rank: rows.filter(({ id }) => id < workerId).length };
}

/** The worker goes; what it holds must be given back before. */
export async function leaveWork(q: Queries, { logId, workerId }: Worker): Promise<void> {
  await q.query("delete from worker where log_id = $1 and worker_id = $2", [logId, workerId]);
}

/** Lengthens a lease, also one that ran out and that nobody took. False when another worker has the partition. */
export async function renewLease(q: Queries, partitionId: number, epoch: number, leaseMs: number): Promise<boolean> {
  const rows = await q.query(
    "update log_partition set lease_until = now() + $3::float8 * interval '1 ms' where partition_id = $1 and epoch = $2 returning partition_id",
    [partitionId, epoch, leaseMs],
  );
  return rows.length > 0;
}

/**
 * Takes up to `countMax` partitions that nobody holds, or that this worker held in an earlier life: from now on commits under an
 * earlier epoch fail. `held` are the shards it works on now.
 */
export async function takeFree(q: Queries, { logId, workerId, leaseMs }: Worker, held: readonly number[], countMax: number): Promise<LeasedPartition[]> {
  const rows = await q.query<{ partition_id: number; shard: number; epoch: number; low_water: number; done_above: Buffer }>(
    `update log_partition p set owner = $2, epoch = p.epoch + 1, lease_until = now() + $3::float8 * interval '1 ms'
       from (select partition_id from log_partition
              where log_id = $1 and (owner is null or owner = $2 or lease_until is null or lease_until < now()) and not shard = any($4::int[])
              order by shard limit $5 for update skip locked) free
      where p.partition_id = free.partition_id
     returning p.partition_id, p.shard, p.epoch, p.low_water, p.done_above`,
    [logId, workerId, leaseMs, held, countMax],
  );
  return rows.map((row) => ({
    partitionId: row.partition_id, shard: row.shard, epoch: row.epoch, positions: createPositionSet(row.low_water, row.done_above),
  }));
}

/** Gives a partition back; nothing happens when another worker has it by now. */
export async function giveBack(q: Queries, partitionId: number, epoch: number): Promise<void> {
  await q.query("update log_partition set owner = null, lease_until = null where partition_id = $1 and epoch = $2", [partitionId, epoch]);
}

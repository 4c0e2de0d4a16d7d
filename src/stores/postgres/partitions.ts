import { createPositionSet, type PositionSet } from "../../core/position-set.ts";
import type { Db, Queries } from "./db.ts";

/** A partition of the event log as its owner holds it. */
export interface OwnedPartition {
  /** Number of the partition in the state database; history rows carry it. */
  partitionId: number;
  /** The fence: raised by every taking, checked by every commit. */
  epoch: number;
  positions: PositionSet;
}

interface Row {
  partition_id: number;
  epoch: number;
  low_water: number;
  done_above: Buffer;
}

/** Another worker owns the partition now; nothing more may be committed under the old epoch. */
export class StaleEpochError extends Error {
  constructor(partitionId: number) {
    super(`log partition ${partitionId} has been taken over`);
    this.name = "StaleEpochError";
  }
}

/** Takes a partition for `owner`: from now on commits under an earlier epoch fail. */
export async function takePartition(db: Db, logId: string, shard: number, owner: string): Promise<OwnedPartition> {
  const [row] = await db.query<Row>(
    `insert into log_partition (log_id, shard, owner, epoch) values ($1, $2, $3, 1)
     on conflict (log_id, shard) do update set owner = excluded.owner, epoch = log_partition.epoch + 1
     returning partition_id, epoch, low_water, done_above`,
    [logId, shard, owner],
  );
  if (!row) throw new Error("log_partition gave no row");
  return { partitionId: row.partition_id, epoch: row.epoch, positions: createPositionSet(row.low_water, row.done_above) };
}

/** Locks the partition's row for a commit and answers what is in state. Throws StaleEpochError when the epoch moved on. */
export async function lockPartition(tx: Queries, partitionId: number, epoch: number): Promise<PositionSet> {
  const [row] = await tx.query<Row>("select epoch, low_water, done_above from log_partition where partition_id = $1 for update", [partitionId]);
  if (!row || row.epoch !== epoch) throw new StaleEpochError(partitionId);
  return createPositionSet(row.low_water, row.done_above);
}

/** What is in state of a partition. */
export async function readPartition(q: Queries, partitionId: number): Promise<PositionSet> {
  const [row] = await q.query<Row>("select low_water, done_above from log_partition where partition_id = $1", [partitionId]);
  if (!row) throw new Error(`log partition ${partitionId} has no row`);
  return createPositionSet(row.low_water, row.done_above);
}

/** Writes without changing anything: a database may answer and yet be full or read-only. Throws, also when the partition was taken over. */
export async function probePartition(q: Queries, { partitionId, epoch }: OwnedPartition): Promise<void> {
  const rows = await q.query("update log_partition set owner = owner where partition_id = $1 and epoch = $2 returning partition_id", [partitionId, epoch]);
  if (rows.length === 0) throw new StaleEpochError(partitionId);
}

export async function savePositions(tx: Queries, partitionId: number, positions: PositionSet): Promise<void> {
  await tx.query("update log_partition set low_water = $2, done_above = $3 where partition_id = $1", [
    partitionId,
    positions.lowWater,
    positions.bitmap(),
  ]);
}

/** What is in state of every partition, read in the transaction that folds from history. */
export async function readPositions(tx: Queries): Promise<Map<number, PositionSet>> {
  const rows = await tx.query<Row>("select partition_id, epoch, low_water, done_above from log_partition");
  return new Map(rows.map((row) => [row.partition_id, createPositionSet(row.low_water, row.done_above)]));
}

import type { Mark, StateTable } from "../../contracts/backup.ts";
import { createPositionSet } from "../../core/position-set.ts";
import type { Db, Queries } from "../../stores/postgres/db.ts";

/** What the state database says at one moment; the session sees that moment until it ends. */
export interface Snapshot {
  marks: Mark[];
  logs: string[];
  /** Number of the partition by log id and shard. */
  partitionOf(logId: string, shard: number): number | undefined;
  tables: StateTable[];
  sequences: { name: string; lastValue: number; large: boolean }[];
}

/**
 * Begins a transaction that sees one moment, at which no message of the outbox is half written: the numbers of messages come
 * from a sequence, and one of an unfinished transaction could not be told from one that is delivered.
 */
export async function takeSnapshot(db: Db, session: Queries): Promise<Snapshot> {
  const outbox = await db.session(async (locking) => {
    await locking.query("begin");
    await locking.query("set local lock_timeout = '10s'");
    await locking.query("lock table outbox in share mode");
    await session.query("begin isolation level repeatable read read only");
    const waiting = await session.query<{ seq: number }>("select seq from outbox order by seq");
    const [last] = await session.query<{ next: number }>(
      "select coalesce(last_value + 1, 1) as next from pg_sequences where schemaname = current_schema() and sequencename = 'outbox_seq_seq'",
    );
    await locking.query("commit");
    return { waiting: waiting.map(({ seq }) => seq), next: last?.next ?? 1 };
  });
  const partitions = await session.query<{ id: number; logId: string; shard: number; lowWater: number; doneAbove: Buffer }>(
    `select partition_id as id, log_id as "logId", shard, low_water as "lowWater", done_above as "doneAbove" from log_partition order by 1`,
  );
  return {
    marks: [
      deliveredMark(outbox),
      ...partitions.map(({ id, lowWater, doneAbove }) => ({ partition: id, lowWater, doneAbove: doneAbove.toString("base64") })),
    ],
    logs: [...new Set(partitions.map(({ logId }) => logId))],
    partitionOf: (logId, shard) => partitions.find((one) => one.logId === logId && one.shard === shard)?.id,
    tables: await readTables(session),
    sequences: await readSequences(session),
  };
}

/** What is delivered: all numbers below the next one, but for those that wait. */
function deliveredMark({ waiting, next }: { waiting: number[]; next: number }): Mark {
  const delivered = createPositionSet(waiting[0] ?? next, Buffer.alloc(0));
  const waits = new Set(waiting);
  for (let seq = delivered.lowWater; seq < next; seq++) if (!waits.has(seq)) delivered.add([seq]);
  return { partition: 0, lowWater: delivered.lowWater, doneAbove: delivered.bitmap().toString("base64") };
}

/** By their age: what a table refers to was there before it. */
const readTables = (session: Queries): Promise<StateTable[]> =>
  session.query<StateTable>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_migration'
      group by c.oid, c.relname order by c.oid`,
  );

/** They are not part of the snapshot, and so never behind it. */
const readSequences = (session: Queries): Promise<Snapshot["sequences"]> =>
  session.query(
    `select sequencename as name, last_value as "lastValue", data_type = 'bigint'::regtype as large
       from pg_sequences where schemaname = current_schema() and last_value is not null order by 1`,
  );

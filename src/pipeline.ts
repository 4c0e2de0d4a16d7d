import type { LogRecord } from "./contracts/event-log.ts";
import type { DoneWork, Stage } from "./contracts/tracing.ts";
import { createToHistory, type Prepared, rejection } from "./batch-to-history.ts";
import { createCommit } from "./batch-to-state.ts";
import { decodeBatch } from "./core/decode-batch.ts";
import { createIsolation, PartlyDoneError } from "./isolate-poison.ts";
import { createOverlap, type Overlap } from "./overlap-batches.ts";
import type { PipelineDeps } from "./pipeline-deps.ts";
import { readPartition } from "./stores/postgres/partitions.ts";

export interface Pipeline extends Overlap {
  /** Processes records of the log. Resolves when they are in history and state; throws on an outage, and may be called again. */
  process(records: LogRecord[]): Promise<void>;
}

/**
 * The path of an event behind the log, in order. Each batch is committed exactly once in effect: history first, under
 * log positions that tell a repeated row; then everything else in one transaction that also records the positions.
 *
 *   log → 2-window → 3-resolve → 4-profile → history  (batch-to-history.ts)
 *       → state, 5-segment → 6-activate               (batch-to-state.ts)
 *
 * Batches overlap (overlap-batches.ts); what fails is done again with care (isolate-poison.ts).
 */
export function createPipeline(deps: PipelineDeps): Pipeline {
  const { partition, meters, isPoison, healthy, logger } = deps;
  const { prepare, insert, startOver, forget } = createToHistory(deps);
  const toState = createCommit(deps);

  async function commit({ records, good, deltas, laps }: Prepared): Promise<void> {
    laps.end("wait");
    await toState(good, deltas, records);
    laps.end("state");
    forget(records);
    meters.add("cdp_events_processed", good.length);
    logger.debug({ events: records.length, profiles: deltas.length, ...laps.ms() }, "batch processed");
    deps.tracing?.record(batchWork(partition.partitionId, good.length, deltas.length, laps.stages()));
  }

  /** For records of which a try may have failed; nothing else is under way meanwhile. */
  async function run(records: LogRecord[]): Promise<void> {
    startOver();
    // A commit whose answer was lost: what it says counts before anything is looked at, or written, once more.
    const inState = await readPartition(deps.db, partition.partitionId);
    const done = records.map((record) => record.position).filter((position) => inState.has(position));
    if (done.length > 0) throw new PartlyDoneError(done);
    const prepared = await prepare(records, true);
    await insert(prepared, true);
    await commit(prepared);
  }

  /** The last resort for one event that some step cannot take: kept, listed, and out of the way of the others. */
  async function bury(record: LogRecord, error: unknown): Promise<void> {
    // What failed with it is on its way no more: its replay would else be taken for a copy of it.
    startOver();
    const { items, broken } = await decodeBatch(partition.partitionId, [record]);
    await deps.profile.removeFromHistory(partition.partitionId, record.position);
    forget([record]);
    for (const { key } of items) deps.window.gone(key);
    await deps.window.hold([...items, ...broken.map((one) => one.item)].map((item) => rejection(item, error)));
    await toState([], [], [record]);
    meters.add("cdp_events_dead_lettered");
  }

  const carefully = createIsolation({ positions: partition.positions, run, bury, isPoison, healthy, logger });
  const overlap = createOverlap({ prepare, insert, commit, carefully, logger });
  return Object.assign(overlap, {
    async process(records: LogRecord[]) {
      await overlap.take(records);
      await overlap.settle();
    },
  });
}

function batchWork(partition: number, events: number, profiles: number, stages: Stage[]): DoneWork {
  const [fromMs, toMs] = [stages[0]?.fromMs ?? 0, stages.at(-1)?.toMs ?? 0];
  const attributes = { "tributary.partition": partition, "tributary.events": events, "tributary.profiles": profiles };
  return { name: "batch", kind: "internal", fromMs, toMs, failed: false, attributes, stages };
}

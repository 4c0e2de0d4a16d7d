import { setTimeout as sleep } from "node:timers/promises";
import type { Reached } from "./contracts/commit-step.ts";
import type { EventLog, LogRecord } from "./contracts/event-log.ts";
import type { Logger } from "./contracts/logger.ts";
import type { Meters } from "./contracts/meters.ts";
import type { LogReader } from "./2-window/index.ts";
import type { Clock } from "./core/clock.ts";
import { describeError } from "./core/describe-error.ts";
import type { Pipeline } from "./pipeline.ts";
import { StaleEpochError, type OwnedPartition } from "./stores/postgres/partitions.ts";

export interface WorkerDeps {
  log: EventLog;
  shard: number;
  partition: OwnedPartition;
  reader: LogReader;
  pipeline: Pipeline;
  /** Delivers what the state transactions left to deliver; resolves with how much. */
  drain(): Promise<number>;
  clock: Clock;
  meters: Meters;
  logger: Logger;
  tickMs: number;
  reached: Reached;
  /** False while the lease of the partition may have run out: another process may write what this one would. */
  holds(): boolean;
}

export interface PartitionWorker {
  /** Accepted events of the partition that are not in state. */
  backlog(): number;
  /** Throws when processing does not get on: it keeps failing, or the partition was taken over. */
  check(): Promise<void>;
  /** Stops after the batches under way. */
  stop(): Promise<void>;
}

const backOffMsMax = 10_000;
/** Failures in a row from which on health says so. */
const troubledAfter = 3;

/**
 * Drives one partition: every tick processes what is due, batch after batch, while the next is read. An outage keeps the batch and
 * tries again with growing pauses; nothing becomes late by waiting, because lateness was decided at the door. The outbox
 * is drained beside it, so that neither holds up the other.
 */
export function startPartitionWorker(deps: WorkerDeps): PartitionWorker {
  const { reader, pipeline, clock } = deps;
  const stopping = new AbortController();
  let batch: LogRecord[] = [];
  let ahead: LogRecord[] = [];
  let reading: Promise<void> | undefined;

  const readAhead = async (): Promise<void> => {
    try {
      ahead = await reader.next(clock.now());
    } finally {
      reading = undefined;
    }
  };
  /** Reads the batch that comes next, unless that is being done or was. Its failure is that of the tick that waits for it. */
  const prefetch = (): void => {
    if (ahead.length > 0 || reading) return;
    reading = readAhead();
    reading.catch(() => undefined);
  };
  const tick = async (): Promise<boolean> => {
    if (!deps.holds()) return false;
    if (batch.length === 0) {
      prefetch();
      await reading;
      [batch, ahead] = [ahead, []];
    }
    const busy = batch.length > 0;
    // Not before the batch is prepared: a copy of one of its events that waits must be seen waiting.
    await (busy ? pipeline.take(batch, prefetch) : pipeline.settle());
    batch = [];
    await deps.log.dropBelow(deps.shard, deps.partition.positions.lowWater);
    await deps.reached("dropped", []);
    return busy;
  };
  const drain = async (): Promise<boolean> => (await deps.drain()) > 0;
  const troubles = new Map<string, string>();
  const trouble = (name: string) => (what: string | undefined) => void (what === undefined ? troubles.delete(name) : troubles.set(name, what));
  const done = Promise.all([repeat(tick, deps, stopping.signal, trouble("processing")), repeat(drain, deps, stopping.signal, trouble("outbox"))]);
  return {
    backlog: () => reader.backlog() + ahead.length + batch.length + pipeline.pending,
    async check() {
      for (const [name, what] of troubles) throw new Error(`${name} ${what}`);
    },
    async stop() {
      stopping.abort();
      await done;
      await reading?.catch(() => undefined);
      // What cannot be finished now is finished by the next start.
      await pipeline.settle().catch(() => undefined);
    },
  };
}

/** Runs `work` until stopped, pausing a tick when it had nothing to do and longer and longer while it fails. */
async function repeat(work: () => Promise<boolean>, deps: WorkerDeps, stop: AbortSignal, tell: (trouble: string | undefined) => void): Promise<void> {
  let failures = 0;
  while (!stop.aborted) {
    try {
      const busy = await work();
      failures = 0;
      tell(undefined);
      if (!busy) await pause(deps.tickMs, stop);
    } catch (error) {
      if (error instanceof StaleEpochError) {
        tell("ended: another process has taken the partition over");
        return deps.logger.error({ error: error.message }, "this process stops working on the partition");
      }
      deps.meters.add("cdp_tick_failures");
      const waitMs = Math.min(backOffMsMax, 250 * 2 ** Math.min(failures++, 10));
      if (failures >= troubledAfter) tell(`failed ${failures} times in a row: ${describeError(error).message ?? describeError(error).name}`);
      deps.logger.warn({ error: describeError(error), waitMs }, "a tick failed and will be tried again");
      await pause(waitMs, stop);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

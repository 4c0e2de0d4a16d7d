import type { LogRecord } from "./contracts/event-log.ts";
import type { Logger } from "./contracts/logger.ts";
import { describeError } from "./core/describe-error.ts";
import type { PositionSet } from "./core/position-set.ts";

interface Deps {
  /** What is in state: a record that is there is never run again. */
  positions: PositionSet;
  run(records: LogRecord[]): Promise<void>;
  /** Puts one record out of the way, kept and listed. */
  bury(record: LogRecord, error: unknown): Promise<void>;
  /** True when an error is certainly about the records and not about a database that is away. */
  isPoison(error: unknown): boolean;
  /** True when all databases answer: an error that keeps coming back then is about the records too. */
  healthy(): Promise<boolean>;
  logger: Logger;
}

/** Part of a batch turned out to be in state already: a commit whose answer was lost. */
export class PartlyDoneError extends Error {
  readonly positions: number[];

  constructor(positions: number[]) {
    super("part of the batch is in state already");
    this.name = "PartlyDoneError";
    this.positions = positions;
  }
}

const triesMax = 5;
/** So many in a row without one that passes are no bad records but a fault of ours: better to stand still than to bury the stream. */
const buriedInARowMax = 20;

/**
 * Lets a bad record cost itself only: a batch that fails is halved until the culprit is alone. Throws on an outage and when
 * everything fails; the caller keeps the batch and calls again.
 */
export function createIsolation(deps: Deps): (records: LogRecord[]) => Promise<void> {
  let tries = 0;
  let buriedInARow = 0;

  async function attempt(all: LogRecord[], suspected: boolean): Promise<void> {
    const records = all.filter((record) => !deps.positions.has(record.position));
    if (records.length === 0) return;
    try {
      await deps.run(records);
      buriedInARow = 0;
    } catch (error) {
      if (error instanceof PartlyDoneError) {
        deps.positions.add(error.positions);
        return await attempt(records, suspected);
      }
      const known = deps.isPoison(error);
      const suspect = !known && (suspected || ++tries >= triesMax) && (await deps.healthy());
      if (!known && !suspect) throw error;
      const half = records.length >> 1;
      if (half === 0) return await buryOne(records[0] as LogRecord, error);
      await attempt(records.slice(0, half), suspect);
      await attempt(records.slice(half), suspect);
    }
  }

  async function buryOne(record: LogRecord, error: unknown): Promise<void> {
    if (buriedInARow >= buriedInARowMax) throw error;
    deps.logger.error({ position: record.position, error: describeError(error) }, "an event was dead-lettered");
    await deps.bury(record, error);
    buriedInARow++;
  }

  return async function isolate(records) {
    await attempt(records, false);
    tries = 0;
  };
}

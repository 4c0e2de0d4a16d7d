import type { LogRecord } from "./contracts/event-log.ts";
import type { Logger } from "./contracts/logger.ts";
import { describeError } from "./core/describe-error.ts";

interface Deps<Prepared> {
  /** Brings a batch as far as history. */
  prepare(records: LogRecord[]): Promise<Prepared>;
  /** Brings a prepared batch into state. */
  commit(prepared: Prepared): Promise<void>;
  /** Brings records into state that failed, a bad one costing only itself. Throws on an outage, and may be called again. */
  carefully(records: LogRecord[]): Promise<void>;
  logger: Logger;
}

export interface Overlap {
  /**
   * Takes a batch over. Resolves when it is prepared and the one before is in state; throws on an outage, and must then be
   * called again with the same records.
   */
  take(records: LogRecord[]): Promise<void>;
  /** Resolves when everything taken is in state; throws on an outage, and may be called again. */
  settle(): Promise<void>;
  /** Records taken over and not in state. */
  readonly pending: number;
}

/**
 * Prepares a batch while the one before is committed: the first is work for history, the second for the state database.
 * Two batches are under way at most, and state sees them in order. What fails is done again carefully, one after the other.
 */
export function createOverlap<Prepared>({ prepare, commit, carefully, logger }: Deps<Prepared>): Overlap {
  /** Never rejects. */
  let committing: Promise<void> = Promise.resolve();
  let pending = 0;
  let failed: LogRecord[] = [];
  /** After a failure the next batch does not take the fast way either: most probably it would fail too. */
  let careful = false;

  function start(records: LogRecord[], prepared: Prepared): void {
    pending = records.length;
    const done = (): void => {
      pending = 0;
    };
    committing = commit(prepared).then(done, (error: unknown) => {
      careful = true;
      failed = records;
      logger.debug({ error: describeError(error), events: records.length }, "a batch failed and is tried carefully");
    });
  }

  async function settle(): Promise<void> {
    await committing;
    if (failed.length === 0) return;
    await carefully(failed);
    failed = [];
    pending = 0;
  }

  async function takeCarefully(records: LogRecord[]): Promise<void> {
    await settle();
    await carefully(records);
    careful = false;
  }

  return {
    async take(records) {
      if (careful) return await takeCarefully(records);
      let prepared: Prepared;
      try {
        prepared = await prepare(records);
      } catch (error) {
        careful = true;
        logger.debug({ error: describeError(error), events: records.length }, "a batch failed and is tried carefully");
        return await takeCarefully(records);
      }
      await settle();
      start(records, prepared);
    },
    settle,
    get pending() {
      return pending;
    },
  };
}

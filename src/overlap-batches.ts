import type { LogRecord } from "./contracts/event-log.ts";
import type { Logger } from "./contracts/logger.ts";
import { describeError } from "./core/describe-error.ts";

interface Deps<Prepared> {
  /** Works out what a batch means. */
  prepare(records: LogRecord[]): Promise<Prepared>;
  /** Brings a prepared batch into history. */
  insert(prepared: Prepared): Promise<void>;
  /** Brings a batch that history has into state. */
  commit(prepared: Prepared): Promise<void>;
  /** Brings records into state that failed, a bad one costing only itself. Throws on an outage, and may be called again. */
  carefully(records: LogRecord[]): Promise<void>;
  logger: Logger;
}

export interface Overlap {
  /**
   * Takes a batch over and tells when it is known what it means. Resolves when the next one may come; throws on an outage, and must
   * then be called again with the same records.
   */
  take(records: LogRecord[], prepared?: () => void): Promise<void>;
  /** Resolves when everything taken is in state; throws on an outage, and may be called again. */
  settle(): Promise<void>;
  /** Records taken over and not in state. */
  readonly pending: number;
}

interface Flight {
  records: LogRecord[];
  /** Whether it came into state; never rejects. */
  done: Promise<boolean>;
}

/** Batches on their way to state beside the one that is prepared: into history, from there into state, and one that waits for either. */
const flightsMax = 3;

/**
 * Prepares a batch while the one before is written to history and the one before that is committed: three pieces of work for
 * three engines. History and state see the batches in order. When one fails, it and those behind it are done again carefully, one
 * after the other, and so is the next one: most probably it would fail too.
 */
export function createOverlap<Prepared>({ prepare, insert, commit, carefully, logger }: Deps<Prepared>): Overlap {
  let flights: Flight[] = [];
  let inserting: Promise<unknown> = Promise.resolve();
  let careful = false;

  function fail(records: LogRecord[], error: unknown): false {
    careful = true;
    logger.debug({ error: describeError(error), events: records.length }, "a batch failed and is tried carefully");
    return false;
  }

  function start(records: LogRecord[], prepared: Prepared): void {
    const before = flights.at(-1)?.done ?? Promise.resolve(true);
    const inserted = insert(prepared);
    inserting = inserted.catch(() => undefined);
    const bring = async (): Promise<boolean> => {
      try {
        await inserted;
        if (!(await before)) return false;
        await commit(prepared);
        flights = flights.filter((one) => one !== flight);
        return true;
      } catch (error) {
        await before;
        return fail(records, error);
      }
    };
    const flight: Flight = { records, done: bring() };
    flights.push(flight);
  }

  async function settle(): Promise<void> {
    await Promise.all(flights.map((flight) => flight.done));
    if (flights.length === 0) return;
    for (let [flight] = flights; flight; [flight] = flights) {
      await carefully(flight.records);
      flights.shift();
    }
  }

  async function takeCarefully(records: LogRecord[]): Promise<void> {
    await settle();
    await carefully(records);
    careful = false;
  }

  return {
    async take(records, told = () => undefined) {
      if (careful) return await takeCarefully(records);
      let prepared: Prepared;
      try {
        prepared = await prepare(records);
        told();
      } catch (error) {
        fail(records, error);
        return await takeCarefully(records);
      }
      await inserting;
      while (flights.length >= flightsMax && !careful) await flights[0]?.done;
      if (careful) return await takeCarefully(records);
      start(records, prepared);
    },
    settle,
    get pending() {
      return flights.reduce((sum, flight) => sum + flight.records.length, 0);
    },
  };
}

import type { Brokers } from "./connect-brokers.ts";
import type { Page } from "./page-cache.ts";
import { toOffset, toPosition, type Places } from "./places.ts";
import { decodeBatches, UnreadableError } from "./record-batch.ts";
import { fetchOne } from "./requests.ts";
import { within } from "./within.ts";

export interface FetchDeps {
  brokers: Brokers;
  topic: string;
  shard: number;
  places: Places;
  /** Asks the brokers where the partition begins and ends. */
  look(): Promise<void>;
  pause(ms: number): Promise<void>;
}

/** As long as a dead leader may take to be replaced, about; a worker that reads tries again later. */
const readMsMax = 10_000;
const pauseMs = 200;
const offsetOutOfRange = 1;

/** Fetches the records from a position on, and maybe some before it. Undefined when the partition has none there. */
export function createPageFetcher(deps: FetchDeps): (position: number, bytesMax: number) => Promise<Page | undefined> {
  const { brokers, topic, shard, places } = deps;

  async function fetchPage(position: number, bytesMax: number): Promise<Page | undefined> {
    const leader = await brokers.leaderOf(shard);
    const { errorCode, highWatermark, logStart, bytes } = await fetchOne.async(leader, { topic, partition: shard, offset: toOffset(position), bytesMax });
    if (errorCode === offsetOutOfRange) {
      await deps.look();
      return undefined;
    }
    if (errorCode !== 0) throw new Error(`the broker refused to read ${topic}-${shard} with error ${errorCode}`);
    places.sawOldest(shard, toPosition(logStart));
    places.sawHead(shard, toPosition(highWatermark));
    const run = decodeBatches(bytes);
    if (run === undefined) return undefined;
    places.sawRecords(shard, run.records.length, bytes.length);
    return { first: toPosition(run.first), records: run.records };
  }

  /** A leader that has just changed, or a broker that starts again, is asked anew. */
  async function fetchPatiently(position: number, bytesMax: number): Promise<Page | undefined> {
    const deadline = performance.now() + readMsMax;
    for (;;) {
      try {
        return await within(deadline - performance.now(), fetchPage(position, bytesMax));
      } catch (error) {
        brokers.forget();
        if (error instanceof UnreadableError || performance.now() + pauseMs >= deadline) throw error;
        await deps.pause(pauseMs);
      }
    }
  }

  return fetchPatiently;
}

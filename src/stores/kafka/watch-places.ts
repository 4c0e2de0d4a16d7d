import type { Logger } from "../../contracts/logger.ts";
import type { Brokers } from "./connect-brokers.ts";
import { toPosition, type Places } from "./places.ts";

interface Deps {
  brokers: Brokers;
  topic: string;
  shards: readonly number[];
  places: Places;
  logger: Logger;
}

export interface PlacesWatch {
  /** Asks the leaders of all partitions now. Throws when one of them does not answer. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

const everyMs = 1000;
/** Kafka's words for the end, for the beginning, and for the first record at or after a time. */
const latest = -1n;
const earliest = -2n;
const anyTime = 0n;

/** Keeps what is known of the partitions fresh: other processes append, and other processes drop. */
export function watchPlaces({ brokers, topic, shards, places, logger }: Deps): PlacesWatch {
  let underWay: Promise<void> | undefined;
  let fails = false;

  async function ask(timestamp: bigint): Promise<{ shard: number; offset: bigint; timestamp: bigint }[]> {
    const [answer] = await brokers.admin.listOffsets({ topics: [{ name: topic, partitions: shards.map((partitionIndex) => ({ partitionIndex, timestamp })) }] });
    return (answer?.partitions ?? []).map(({ partitionIndex, offset, timestamp: at }) => ({ shard: partitionIndex, offset, timestamp: at }));
  }

  async function look(): Promise<void> {
    for (const { shard, offset } of await ask(earliest)) places.sawOldest(shard, toPosition(offset));
    for (const { shard, offset } of await ask(latest)) places.sawHead(shard, toPosition(offset));
    for (const { shard, timestamp } of await ask(anyTime)) places.sawOldestAt(shard, timestamp < 0n ? undefined : Number(timestamp));
  }

  async function lookQuietly(): Promise<void> {
    try {
      await look();
      fails = false;
    } catch (error) {
      brokers.forget();
      if (!fails) logger.warn({ topic, error: String(error) }, "Kafka does not say where its partitions begin and end");
      fails = true;
    } finally {
      underWay = undefined;
    }
  }

  const timer = setInterval(() => void (underWay ??= lookQuietly()), everyMs);
  timer.unref();
  return {
    look,
    async stop() {
      clearInterval(timer);
      await underWay;
    },
  };
}

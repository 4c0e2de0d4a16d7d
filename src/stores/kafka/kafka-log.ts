import { setTimeout as sleep } from "node:timers/promises";
import type { EventLog } from "../../contracts/event-log.ts";
import type { Logger } from "../../contracts/logger.ts";
import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/describe-error.ts";
import { connectAdmin, connectBrokers, type Brokers, type KafkaAccess } from "./connect-brokers.ts";
import { createPageCache } from "./page-cache.ts";
import { createPartitionReader, type PartitionReader } from "./partition-reader.ts";
import { createPartitionWriter, type PartitionWriter } from "./partition-writer.ts";
import { createPlaces, toOffset, toPosition, type Places } from "./places.ts";
import { prepareTopic, type Topic, type TopicWanted } from "./prepare-topic.ts";
import { watchPlaces, type PlacesWatch } from "./watch-places.ts";

export interface KafkaLogOptions {
  access: KafkaAccess;
  topic: TopicWanted;
  clock: Clock;
  logger: Logger;
  /** How long an append may wait for the brokers. */
  acknowledgeMsMax?: number;
  /** Brokers are asked to remove what was processed this often at most. */
  dropEveryMs?: number;
}

/** A leader that dies is known to be dead after 9 s by Kafka's default, and then another takes over. */
const acknowledgeMsUsual = 20_000;
const dropEveryMsUsual = 5000;
const firstLooksMax = 20;
const firstLookPauseMs = 250;
const cache = { bytesMax: 48_000_000, pageBytesMax: 4_000_000, pagesMax: 200 };

const pause = (ms: number): Promise<void> => sleep(ms);

async function findTopic({ access, topic, logger }: KafkaLogOptions): Promise<Topic> {
  const admin = connectAdmin(access);
  try {
    return await prepareTopic(admin, topic, logger, pause);
  } finally {
    await admin.close();
  }
}

/** The consumer group under which the progress of processing is shown. */
const groupOf = (topic: string): string => `tributary-${topic}`;

interface Partition {
  writer: PartitionWriter;
  reader: PartitionReader;
  droppedAt: number;
}

/** A topic that was just made is not known to all brokers yet. */
async function lookPatiently({ look }: PlacesWatch): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await look();
    } catch (error) {
      if (tries === firstLooksMax) throw error;
      await pause(firstLookPauseMs);
    }
  }
}

/** Throws unless enough copies of each partition are in sync for an append to be acknowledged. */
async function checkReplicas({ admin }: Brokers, name: string, inSyncMin: number): Promise<void> {
  const metadata = await admin.metadata({ topics: [name], forceUpdate: true });
  for (const [partition, { isr, leader }] of metadata.topics.get(name)?.partitions.entries() ?? []) {
    if (!metadata.brokers.has(leader)) throw new Error(`partition ${partition} of ${name} has no leader`);
    if (isr.length < inSyncMin) throw new Error(`partition ${partition} of ${name} has ${isr.length} copies in sync, ${inSyncMin} are needed`);
  }
}

/** For tools that show how far a topic's readers are behind. Nothing here ever reads it, and a user may lack the right to write it. */
async function tellProgress({ admin }: Brokers, { topic, logger }: KafkaLogOptions, partitionOffset: { partition: number; offset: bigint }): Promise<void> {
  const told = admin.alterConsumerGroupOffsets({ groupId: groupOf(topic.name), topics: [{ name: topic.name, partitionOffsets: [partitionOffset] }] });
  await told.catch((error: unknown) => logger.debug({ error: describeError(error) }, "the group offsets were not written"));
}

interface Opened {
  writing: Brokers;
  reading: Brokers;
  places: Places;
  topic: Topic;
  acknowledgeMsMax: number;
  look(): Promise<void>;
}

function openPartitions(options: KafkaLogOptions, shards: readonly number[], { writing, reading, places, topic, acknowledgeMsMax, look }: Opened): Map<number, Partition> {
  const pages = createPageCache(cache);
  const { name } = options.topic;
  return new Map(shards.map((shard): [number, Partition] => [shard, {
    writer: createPartitionWriter({
      brokers: writing, topic: name, shard, batchBytesMax: topic.batchBytesMax, acknowledgeMsMax, clock: options.clock, pause,
      onKept: (first, records) => places.sawHead(shard, first + records.length),
    }),
    reader: createPartitionReader({ brokers: reading, topic: name, shard, places, pages, look, pause }),
    droppedAt: -Infinity,
  }]));
}

/**
 * Opens the event log that is a topic of Kafka, and makes the topic when it is missing. Its shards are the partitions.
 * Bytes handed to `append` must not change before it resolves. An append that is rejected may still be kept: a broker that does not
 * answer may have written it.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const { access, acknowledgeMsMax = acknowledgeMsUsual, dropEveryMs = dropEveryMsUsual } = options;
  const { name } = options.topic;
  const topic = await findTopic(options);
  const shards = Array.from({ length: topic.partitions }, (_, shard) => shard);
  const places = createPlaces(shards);
  // A connection answers in order, so what is read would hold up what is written.
  const writing = connectBrokers(access, name, topic.id);
  const reading = connectBrokers(access, name, topic.id);
  const watch = watchPlaces({ brokers: reading, topic: name, shards, places, logger: options.logger });
  let isOpen = true;

  const partitions = openPartitions(options, shards, { writing, reading, places, topic, acknowledgeMsMax, look: watch.look });

  function partitionOf(shard: number): Partition {
    if (!isOpen) throw new Error("the log is closed");
    places.of(shard);
    return partitions.get(shard) as Partition;
  }

  async function drop(shard: number, below: number): Promise<void> {
    const partition = partitionOf(shard);
    const { head, oldest } = places.of(shard);
    const position = Math.min(below, head);
    const now = performance.now();
    if (position <= oldest || now - partition.droppedAt < dropEveryMs) return;
    partition.droppedAt = now;
    const asked = { partition: shard, offset: BigInt(toOffset(position)) };
    const [answer] = await reading.admin.deleteRecords({ topics: [{ name, partitions: [asked] }] });
    places.sawOldest(shard, toPosition(answer?.partitions[0]?.lowWatermark ?? toOffset(oldest)));
    await tellProgress(reading, options, asked);
  }

  async function close(): Promise<void> {
    isOpen = false;
    await Promise.all([...partitions.values()].map(({ writer }) => writer.close()));
    await Promise.all([watch.stop(), writing.close(), reading.close()]);
  }

  try {
    await lookPatiently(watch);
    // For the size of the records that wait, and because a log that cannot be read should not open.
    for (const { reader } of partitions.values()) await reader.read(0, 1, 1);
  } catch (error) {
    await close();
    throw error;
  }

  return {
    logId: topic.id,
    shards,
    async append(shard, records) {
      const { writer } = partitionOf(shard);
      if (!records.every((record) => record instanceof Uint8Array)) throw new TypeError("a log record is a Uint8Array");
      return records.length === 0 ? places.of(shard).head : writer.append(records);
    },
    read: async (shard, from, recordsMax, bytesMax) => partitionOf(shard).reader.read(from, recordsMax, bytesMax),
    scan: async (shard, from, recordsMax, visit) => partitionOf(shard).reader.scan(from, recordsMax, visit),
    readAt: async (shard, positions) => partitionOf(shard).reader.readAt(positions),
    head: (shard) => places.of(shard).head,
    dropBelow: drop,
    stats: () => ({ bytes: places.bytes(), oldestAt: places.oldestAt() }),
    async check() {
      if (!isOpen) throw new Error("the log is closed");
      await checkReplicas(reading, name, topic.inSyncMin);
      await watch.look();
    },
    close,
  };
}

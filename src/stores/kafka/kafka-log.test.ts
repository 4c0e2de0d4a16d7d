import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventLog, LogRecord } from "../../contracts/event-log.ts";
import { describeEventLog } from "../../testing/event-log-contract.ts";
import { createTestTopic, describeWithKafka, type TestTopic } from "../../testing/kafka-topic.ts";
import { until } from "../../testing/server-process.ts";

const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i);
const texts = (records: LogRecord[]): string[] => records.map(({ bytes }) => Buffer.from(bytes).toString());
const bytes = (text: string): Buffer => Buffer.from(text);

describeWithKafka("the event log on Kafka, as every event log,", () => describeEventLog(async () => createTestTopic()));

describeWithKafka("the event log on Kafka", () => {
  let topic: TestTopic;
  let logs: EventLog[];
  const open = async (...options: Parameters<TestTopic["open"]>): Promise<EventLog> => {
    const log = await topic.open(...options);
    logs.push(log);
    return log;
  };
  beforeEach(() => {
    logs = [];
    topic = createTestTopic({ partitions: 2 });
  });
  afterEach(async () => {
    for (const log of logs) await log.close();
    await topic.remove();
  });

  test("keeps partitions apart", async () => {
    const log = await open();
    expect(log.shards).toEqual([0, 1]);
    const firsts = await Promise.all(upTo(50).map((i) => log.append(i % 2, [bytes(`${i}a`), bytes(`${i}b`)])));
    for (const shard of [0, 1]) {
      const own = upTo(50).filter((i) => i % 2 === shard);
      expect(log.head(shard)).toBe(51);
      const asked = own.flatMap((i) => [firsts[i - 1] as number, (firsts[i - 1] as number) + 1]);
      expect(texts(await log.readAt(shard, asked))).toEqual(own.flatMap((i) => [`${i}a`, `${i}b`]));
    }
  });

  test("shows by the offsets of a consumer group how far processing is", async () => {
    const log = await open();
    await log.append(1, upTo(20).map((i) => bytes(`${i}`)));
    await log.dropBelow(1, 16);
    const [group] = await topic.admin.listConsumerGroupOffsets({ groups: [`tributary-${topic.name}`] });
    expect(group?.topics).toMatchObject([{ name: topic.name, partitions: [{ partitionIndex: 1, committedOffset: 15n }] }]);
  });

  test("is shared by processes: each sees what the others append, and no position is given twice", async () => {
    const [one, other] = [await open(), await open()];
    const firsts = await Promise.all(upTo(200).map((i) => (i % 2 ? one : other).append(0, [bytes(`${i}`)])));
    expect(new Set(firsts).size).toBe(200);
    await until("both see all", () => one.head(0) === 201 && other.head(0) === 201);
    for (const log of [one, other]) expect(texts(await log.readAt(0, firsts))).toEqual(upTo(200).map(String));
  });

  test("gives any records at any positions, in the order asked for", async () => {
    const log = await open();
    const records = upTo(3000).map((i) => Buffer.alloc((i * 7919) % 4000, `${i} `));
    for (let at = 0; at < records.length; at += 250) await log.append(0, records.slice(at, at + 250));
    const position = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1000, max: 1100 }));
    await fc.assert(fc.asyncProperty(fc.array(position, { maxLength: 60 }), fc.boolean(), async (asked, fresh) => {
      const reader = fresh ? await topic.open() : log;
      const found = await reader.readAt(0, asked);
      expect(found.map((record) => record.position)).toEqual(asked);
      expect(found.every((record) => records[record.position - 1]?.equals(record.bytes))).toBe(true);
      if (fresh) await reader.close();
    }), { numRuns: 40 });
  });

  test("says when retention has taken what was not processed, instead of going on behind it", async () => {
    const log = await open();
    await log.append(0, upTo(20).map((i) => bytes(`${i}`)));
    await topic.admin.deleteRecords({ topics: [{ name: topic.name, partitions: [{ partition: 0, offset: 10n }] }] });
    const visit = (): void => undefined;
    await expect(log.scan(0, 5, 100, visit)).rejects.toThrow("has no positions 5 to 10 any more");
    await expect(log.read(0, 1, 100, 1e6)).rejects.toThrow("has no positions 1 to 10 any more");
    await expect(log.readAt(0, [5])).rejects.toThrow("position 5");
    expect(texts(await log.read(0, 11, 1, 1))).toEqual(["11"]);
    expect(texts(await log.read(0, 0, 1, 1))).toEqual(["11"]);
  });

  test("refuses what is larger than the topic takes, at once, and goes on with the rest", async () => {
    await topic.admin.createTopics({ topics: [topic.name], partitions: 1, replicas: 1, configs: [{ name: "max.message.bytes", value: "20000" }] });
    const log = await open();
    const large = log.append(0, [Buffer.alloc(20_000)]);
    const small = upTo(100).map((i) => log.append(0, [Buffer.alloc(1000, i)]));
    await expect(large).rejects.toThrow("max.message.bytes is 20000");
    expect((await Promise.all(small)).sort((a, b) => a - b)).toEqual(upTo(100));
  });

  test.each(["gzip", "zstd", "lz4", "snappy"])("reads what the broker compressed with %s", async (compression) => {
    await topic.admin.createTopics({ topics: [topic.name], partitions: 1, replicas: 1, configs: [{ name: "compression.type", value: compression }] });
    const log = await open();
    const records = upTo(300).map((i) => bytes(`record ${i} `.repeat(i)));
    await log.append(0, records);
    expect(texts(await log.read(0, 1, 300, 1e9))).toEqual(records.map(String));
  });

  test("refuses a compacted topic", async () => {
    await topic.admin.createTopics({ topics: [topic.name], partitions: 1, replicas: 1, configs: [{ name: "cleanup.policy", value: "compact" }] });
    await expect(topic.open()).rejects.toThrow("compacted");
  });

  test("takes nothing into a topic that was made anew under its name", async () => {
    const log = await open({ acknowledgeMsMax: 3000 });
    await log.append(0, [bytes("a")]);
    await topic.admin.deleteTopics({ topics: [topic.name] });
    await until("the topic is made anew", () =>
      topic.admin.createTopics({ topics: [topic.name], partitions: 2, replicas: 1 }).then(() => true, () => false));
    await until("an append is refused", () => log.append(0, [bytes("b")]).then(() => false, (error: Error) => error.message.includes("made anew")));
  });

  test("makes the topic safe: two copies in sync where there are two, and nothing removed but by itself", async () => {
    await open();
    const resources = [{ resourceType: 2 as const, resourceName: topic.name, configurationKeys: null }];
    const [described] = await topic.admin.describeConfigs({ resources });
    const configs = Object.fromEntries(described?.configs.map(({ name, value }) => [name, value]) ?? []);
    expect(configs).toMatchObject({ "retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete", "unclean.leader.election.enable": "false" });
  });
});

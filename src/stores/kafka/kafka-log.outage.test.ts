import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { setTimeout as pause } from "node:timers/promises";
import type { EventLog } from "../../contracts/event-log.ts";
import { startKafkaCluster, type KafkaCluster } from "../../testing/kafka-cluster.ts";
import { createTestTopic, describeWithKafka, type TestTopic } from "../../testing/kafka-topic.ts";

interface Sent {
  batch: string;
  count: number;
  /** Where it was acknowledged to be, or undefined when the append was rejected. */
  first?: number;
  tookMs: number;
}

const contentOf = (batch: string, count: number, at: number): string => `${batch}/${count}/${at}/`;

/** Appends singles and batches from several callers until stopped, and tells what became of each. */
function keepAppending(log: EventLog, shard: number, name: string) {
  const sent: Sent[] = [];
  let stopped = false;
  async function work(caller: number): Promise<void> {
    for (let i = 0; !stopped; i++) {
      const batch = `${name}-${caller}-${i}`;
      const count = i % 3 === 0 ? 100 : 1;
      const records = Array.from({ length: count }, (_, at) => Buffer.from(contentOf(batch, count, at) + "x".repeat((i * 37) % 700)));
      const began = performance.now();
      const first = await log.append(shard, records).catch(() => undefined);
      sent.push({ batch, count, tookMs: performance.now() - began, ...(first !== undefined && { first }) });
      await pause(1);
    }
  }
  const working = Promise.all(Array.from({ length: 8 }, (_, caller) => work(caller)));
  return {
    sent,
    async stop(): Promise<Sent[]> {
      stopped = true;
      await working;
      return sent;
    },
  };
}

/** Checks that positions follow each other, that what was acknowledged is where it was said to be and nowhere else, and that nothing is there in part. */
async function expectKept(log: EventLog, shard: number, sent: Sent[]): Promise<void> {
  const found = new Map<string, number[]>();
  let next = 1;
  while (next < log.head(shard)) {
    next = await log.scan(shard, next, 10_000, (position, bytes) => {
      const content = Buffer.from(bytes).toString().replace(/x*$/, "");
      found.set(content, [...(found.get(content) ?? []), position]);
    });
  }
  const positions = [...found.values()].flat().sort((a, b) => a - b);
  expect(positions).toEqual(positions.map((_, i) => i + 1));
  const wrong = sent.filter(({ batch, count, first }) => {
    const places = Array.from({ length: count }, (_, at) => found.get(contentOf(batch, count, at)) ?? []);
    if (first !== undefined) return places.some((place, at) => place.length !== 1 || place[0] !== first + at);
    const copies = places.map((place) => place.length);
    return copies.some((copy) => copy !== copies[0] || copy > 1);
  });
  expect(wrong).toEqual([]);
}

const longest = (sent: Sent[]): number => Math.max(...sent.map(({ tookMs }) => tookMs));

describeWithKafka("the event log on a Kafka that fails", () => {
  let cluster: KafkaCluster;
  let topic: TestTopic;
  let log: EventLog;
  const start = async (brokers: number): Promise<void> => { cluster = await startKafkaCluster(brokers); };
  const open = async (acknowledgeMsMax?: number): Promise<void> => {
    topic = createTestTopic({ brokers: cluster.addresses.split(","), partitions: 2 });
    log = await topic.open(acknowledgeMsMax === undefined ? {} : { acknowledgeMsMax });
  };
  afterEach(async () => {
    await log.close();
    await topic.remove();
  });

  describe("with one broker", () => {
    beforeAll(() => start(1));
    afterAll(() => cluster.stop());

    test("waits for a broker that was killed and comes back: all that was acknowledged is there once", { timeout: 180_000 }, async () => {
      await open(60_000);
      const appending = [0, 1].map((shard) => keepAppending(log, shard, `killed${shard}`));
      for (let round = 0; round < 2; round++) {
        await pause(1500);
        await cluster.brokers[0]?.kill();
        await pause(500);
        await cluster.brokers[0]?.start();
      }
      await pause(2000);
      const sent = await Promise.all(appending.map((one) => one.stop()));
      expect(sent.flat().filter(({ first }) => first === undefined)).toEqual([]);
      expect(sent.flat().length).toBeGreaterThan(500);
      for (const shard of [0, 1]) await expectKept(log, shard, sent[shard] ?? []);
    });

    test("rejects appends in time while the broker is away, and goes on by itself when it is back", { timeout: 180_000 }, async () => {
      await open(3000);
      const before = { batch: "before", count: 1, tookMs: 0, first: await log.append(0, [Buffer.from(contentOf("before", 1, 0))]) };
      await cluster.brokers[0]?.kill();
      const appending = keepAppending(log, 0, "away");
      await pause(9000);
      await expect(log.check()).rejects.toThrow();
      await expect(log.read(0, log.head(0), 1, 1)).rejects.toThrow();
      const rejected = appending.sent.filter(({ first }) => first === undefined);
      expect(rejected.length).toBeGreaterThanOrEqual(16);
      expect(longest(rejected)).toBeLessThan(5500);
      await cluster.brokers[0]?.start();
      await pause(4000);
      const sent = await appending.stop();
      expect(sent.filter(({ first }) => first !== undefined).length).toBeGreaterThan(50);
      await log.check();
      await expectKept(log, 0, [before, ...sent]);
    });

    test("rejects appends in time while the broker is frozen, and keeps none of them in part or twice", { timeout: 180_000 }, async () => {
      await open(6000);
      const appending = keepAppending(log, 0, "frozen");
      await pause(1000);
      cluster.brokers[0]?.signal("SIGSTOP");
      await pause(12_000);
      const rejected = appending.sent.filter(({ first }) => first === undefined);
      expect(rejected.length).toBeGreaterThan(0);
      expect(longest(rejected)).toBeLessThan(9000);
      cluster.brokers[0]?.signal("SIGCONT");
      await pause(6000);
      const sent = await appending.stop();
      expect(sent.findLast(({ first }) => first !== undefined)).toBe(sent.at(-1));
      await expectKept(log, 0, sent);
    });
  });

  describe("with three brokers", () => {
    beforeAll(() => start(3));
    afterAll(() => cluster.stop());

    test("goes on when the broker that leads a partition is killed, without refusing anything", { timeout: 240_000 }, async () => {
      await open(60_000);
      const { topics } = await topic.admin.metadata({ topics: [topic.name], forceUpdate: true });
      const leader = topics.get(topic.name)?.partitions[0]?.leader;
      const appending = [0, 1].map((shard) => keepAppending(log, shard, `led${shard}`));
      await pause(3000);
      await cluster.brokers.find(({ id }) => id === leader)?.kill();
      await pause(20_000);
      await cluster.brokers.find(({ id }) => id === leader)?.start();
      await pause(3000);
      const sent = await Promise.all(appending.map((one) => one.stop()));
      expect(sent.flat().filter(({ first }) => first === undefined)).toEqual([]);
      console.log(`a broker of three killed: the longest append took ${Math.round(longest(sent.flat()))} ms`);
      for (const shard of [0, 1]) await expectKept(log, shard, sent[shard] ?? []);
      await log.check();
    });
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { startKafkaCluster, type KafkaCluster } from "../../testing/kafka-cluster.ts";
import { createTestTopic, describeWithKafka, type TestTopic } from "../../testing/kafka-topic.ts";
import { isKafkaAway } from "./is-away.ts";

describeWithKafka("a Kafka that asks for TLS and a login", () => {
  let cluster: KafkaCluster;
  let topic: TestTopic;
  beforeAll(async () => {
    cluster = await startKafkaCluster(1);
    topic = createTestTopic({ brokers: cluster.addresses.split(",") });
  });
  afterAll(async () => {
    await topic.remove();
    await cluster.stop();
  });
  const reasonOf = (access: Parameters<TestTopic["open"]>[0]): Promise<unknown> => topic.open(access).then(() => undefined, (error: unknown) => error);

  test("is used with both", async () => {
    const log = await topic.open({ access: cluster.guarded });
    expect(await log.append(0, [Buffer.from("a")])).toBe(1);
    expect(await log.readAt(0, [1])).toEqual([{ position: 1, bytes: Buffer.from("a") }]);
    await log.close();
  });

  test("refuses another password, which no waiting changes", async () => {
    const reason = await reasonOf({ access: { ...cluster.guarded, sasl: { ...cluster.guarded.sasl, password: "wrong" } } });
    expect([reason instanceof Error, isKafkaAway(reason)]).toEqual([true, false]);
  });

  test("is not trusted without its certificate", async () => {
    const reason = await reasonOf({ access: { ...cluster.guarded, tls: {} } });
    expect(reason).toBeInstanceOf(Error);
  });

  test("that does not answer is away", async () => {
    expect(isKafkaAway(await reasonOf({ access: { brokers: ["127.0.0.1:1"] } }))).toBe(true);
  });
});

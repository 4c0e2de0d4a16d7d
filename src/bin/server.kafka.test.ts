import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startKafkaCluster, type KafkaCluster } from "../testing/kafka-cluster.ts";
import { describeWithKafka } from "../testing/kafka-topic.ts";
import { createClient, untilProcessed, type Client } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";

const people = 50;
const perPerson = 20;

/** One event of each person. */
const batchOf = (round: number): object => ({
  events: Array.from({ length: people }, (_, at) => ({ eventId: `e-${round}-${at}`, userId: `user-${at}`, type: "view", timestamp: new Date().toISOString() })),
});

describeWithKafka("a server whose log is Kafka", () => {
  let cluster: KafkaCluster;
  let server: ServerProcess;
  let api: Client;
  let env: Record<string, string>;

  beforeAll(async () => {
    cluster = await startKafkaCluster(1);
    env = { KAFKA_BROKERS: cluster.addresses, KAFKA_TOPIC: `server-${randomUUID()}`, KAFKA_PARTITIONS: "4", LEASE_DURATION: "2s" };
    server = await createServerProcess();
    await server.start(env);
    api = createClient(server.url);
  });
  afterAll(async () => {
    await server.remove();
    await cluster.stop();
  });

  const sendRound = (round: number): Promise<number> => api.post("/api/cdp/events/batch", batchOf(round)).then(({ status }) => status, () => 0);

  test("counts once what it accepted, through kill -9 of itself and of the broker, and refuses with 503 while the broker is away", { timeout: 240_000 }, async () => {
    const refusals: number[] = [];
    for (let round = 0; round < perPerson; round++) {
      if (round === 5) {
        await server.kill();
        await server.start(env);
      }
      if (round === 12) await cluster.brokers[0]?.kill();
      let status = await sendRound(round);
      if (round === 12) {
        // One waits as long as another broker might need to take over, the next no longer do.
        refusals.push(status, await sendRound(round), await sendRound(round));
        await cluster.brokers[0]?.start();
        status = 0;
      }
      await until(`round ${round} is accepted`, async () => status === 202 || (status = await sendRound(round)) === 202);
    }
    expect(refusals).toEqual([503, 503, 503]);
    await untilProcessed(server);
    for (let at = 0; at < people; at++) expect(await api.lookup("external_id", `user-${at}`)).toMatchObject({ totalEvents: perPerson });
    await until("health is good", async () => (await api.send("GET", "/api/cdp/health")).status === 200);
  });
});

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listBackups } from "../backup/index.ts";
import { startKafkaCluster, type KafkaCluster } from "../testing/kafka-cluster.ts";
import { describeWithKafka } from "../testing/kafka-topic.ts";
import { runCommand } from "../testing/run-command.ts";
import { createClient, untilProcessed } from "../testing/server-client.ts";
import { adminKey, createServerProcess, type ServerProcess } from "../testing/server-process.ts";

const people = 200;

describeWithKafka("a backup of a server whose log is Kafka", () => {
  const keys = { TRIBUTARY_PEPPER: "pepper-of-the-kafka-backup-0123456789" };
  let cluster: KafkaCluster;
  let root: string;
  let backup: string;
  let topic: string;
  const servers: ServerProcess[] = [];

  /** Half of its events are processed, and half wait in the topic for longer than the test runs. */
  beforeAll(async () => {
    cluster = await startKafkaCluster(1);
    root = await mkdtemp(join(tmpdir(), "kafka-backup-"));
    topic = `backed-up-${randomUUID()}`;
    const server = await newServer();
    for (const [round, window] of [[1, "100ms"], [2, "1h"]] as const) {
      await server.start({ KAFKA_BROKERS: cluster.addresses, KAFKA_TOPIC: topic, EVENT_PROCESSOR_WINDOW_SIZE: window });
      const events = Array.from({ length: people }, (_, n) => ({ eventId: `e-${round}-${n}`, type: "Met", userId: `u-${n}` }));
      expect((await createClient(server.url).post("/api/cdp/events/batch", { events })).status).toBe(202);
      if (round === 1) await untilProcessed(server);
      if (round === 1) await server.stop();
    }
    const { output } = await runCommand(["backup", root], { TRIBUTARY_URL: server.url, TRIBUTARY_API_KEY: adminKey });
    expect(output).toContain("Stored");
    [backup] = (await listBackups(root)).map(({ path }) => path) as [string];
  });
  afterAll(async () => {
    for (const server of servers) await server.remove();
    await cluster.stop();
    await rm(root, { recursive: true });
  });

  async function newServer(): Promise<ServerProcess> {
    const server = await createServerProcess(keys);
    servers.push(server);
    return server;
  }
  const restoreInto = (server: ServerProcess, env: Record<string, string>) => runCommand(["restore", backup], { DATA_DIR: server.dataDir, ...keys, ...env });

  test("is not restored onto the topic that it comes from", async () => {
    const { code, output } = await restoreInto(await newServer(), { KAFKA_BROKERS: cluster.addresses, KAFKA_TOPIC: topic });
    expect(output).toContain("KAFKA_TOPIC of its own");
    expect(code).toBe(1);
  });

  test.each<[onto: string, env: () => Record<string, string>]>([
    ["a new topic", () => ({ KAFKA_BROKERS: cluster.addresses, KAFKA_TOPIC: `restored-${randomUUID()}` })],
    ["a local log", () => ({})],
  ])("is restored onto %s, and what waited is processed", async (_, env) => {
    const server = await newServer();
    const settings = env();
    const { code, output } = await restoreInto(server, settings);
    expect(output).toContain("Restored");
    expect(code).toBe(0);
    await server.start(settings);
    await untilProcessed(server);
    const api = createClient(server.url);
    expect(await api.read("/api/cdp/stats")).toMatchObject({ totalEvents: 2 * people, totalProfiles: people });
    expect((await api.lookup("external_id", "u-7"))?.totalEvents).toBe(2);
  });
});

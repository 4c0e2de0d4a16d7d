import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PostgresSettings } from "../stores/postgres/pool.ts";
import { type ClickhouseServer, startClickhouseServer } from "../testing/clickhouse-server.ts";
import { type KafkaCluster, startKafkaCluster } from "../testing/kafka-cluster.ts";
import { describeWithKafka } from "../testing/kafka-topic.ts";
import { clonePostgres, type PostgresClone } from "../testing/postgres-clone.ts";
import { createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";
import { checkTenant } from "../testing/torture/check-tenant.ts";
import { openTenant, pepper, type Tenant } from "../testing/torture/open-tenant.ts";
import { createRandom } from "../testing/torture/random.ts";
import { createSender } from "../testing/torture/send-events.ts";
import { createWriter } from "../testing/torture/write-story.ts";

// Two processes that take requests and three that work, on one Kafka, one PostgreSQL and one ClickHouse; some of them die meanwhile.

const partitions = 6;
const leaseMs = 4000;
const lateness = { windowMs: 100, graceMs: 120_000 };
/** A transaction of a process that stands still is ended after 30 s. */
const shareMsMax = 90_000;
const events = Number(process.env["SCALE_EVENTS"] ?? 6000);
const wave = 600;

const urlOf = ({ host = "", port = 0, user = "", database = "" }: PostgresSettings): string =>
  `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;

describeWithKafka("several processes on one log", () => {
  let kafka: KafkaCluster | undefined;
  let history: ClickhouseServer | undefined;
  let state: PostgresClone | undefined;
  let apis: ServerProcess[] = [];
  let workers: ServerProcess[] = [];

  beforeAll(async () => {
    kafka = await startKafkaCluster(3);
    history = await startClickhouseServer();
    state = await clonePostgres();
    const shared = {
      KAFKA_BROKERS: kafka.addresses, KAFKA_TOPIC: `cluster-${randomUUID()}`, KAFKA_PARTITIONS: String(partitions), LEASE_DURATION: `${leaseMs}ms`,
      DATABASE_URL: urlOf(state.settings), CLICKHOUSE_URL: history.url, TRIBUTARY_PEPPER: pepper, LOG_LEVEL: "info",
      EVENT_PROCESSOR_WINDOW_SIZE: `${lateness.windowMs}ms`, EVENT_PROCESSOR_GRACE_PERIOD: `${lateness.graceMs}ms`,
    };
    const make = (role: string, count: number): Promise<ServerProcess[]> =>
      Promise.all(Array.from({ length: count }, () => createServerProcess({ ...shared, TRIBUTARY_ROLES: role })));
    [apis, workers] = await Promise.all([make("api", 2), make("worker", 3)]);
    await Promise.all([...apis, ...workers].map((server) => server.start()));
  }, 180_000);
  afterAll(async () => {
    await Promise.all([...apis, ...workers].map((server) => server.remove()));
    await Promise.all([kafka?.stop(), history?.remove(), state?.drop()]);
  }, 120_000);

  async function owners(): Promise<string[]> {
    const rows = await (state as PostgresClone).db.query<{ owner: string }>("select owner from log_partition where owner is not null and lease_until > now()");
    return rows.map(({ owner }) => owner);
  }
  /** Shared out evenly among as many. */
  const sharedAmong = (count: number): Promise<void> => until(`${count} workers share the partitions`, async () => {
    const own = [...Map.groupBy(await owners(), (owner) => owner).values()].map(({ length }) => length);
    return own.length === count && own.every((length) => length === partitions / count);
  }, shareMsMax);

  /** What happens while the waves of events come in, by the part of them that has been sent. */
  const happenings: [part: number, happen: () => Promise<void>][] = [
    [0.2, async () => workers[0]?.kill()],
    [0.3, async () => workers[0]?.start()],
    [0.4, async () => kafka?.brokers[1]?.kill()],
    [0.5, async () => kafka?.brokers[1]?.start()],
    [0.6, async () => pauseUntilTakenOver(workers[1] as ServerProcess)],
    [0.7, async () => void (await workers[2]?.stop())],
    [0.8, async () => workers[2]?.start()],
  ];

  /** A worker that stands still for longer than its leases last, and wakes up with batches under way. */
  async function pauseUntilTakenOver(worker: ServerProcess): Promise<void> {
    const [pid = 0] = worker.pids();
    process.kill(pid, "SIGSTOP");
    await sharedAmong(2);
    process.kill(pid, "SIGCONT");
    await until("it knows", () => worker.output().includes("another process has taken a partition over"));
  }

  async function sendAll(tenant: Tenant): Promise<void> {
    const random = createRandom(20_261_122);
    const writer = createWriter(random, { of: tenant.name, people: 300, ageMsMax: 3_600_000, doors: ["api", "import", "quarantine"] });
    const sender = createSender();
    const due = [...happenings];
    for (let sent = 0; sent < events; sent += wave) {
      const at = apis.map((api) => sender.send(tenant.at(api.url), writer.write(wave / apis.length, Date.now())));
      while (due[0] && sent / events >= due[0][0]) await due.shift()?.[1]();
      await Promise.all(at);
    }
  }

  test("every accepted event counts once, and every profile is what one process would have made of them", { timeout: 600_000 }, async () => {
    await sharedAmong(3);
    const [first, second] = apis.map(({ url }) => url);
    const tenant = await openTenant(first ?? "", "crowd");
    const beside = tenant.at(second ?? "").client;
    await until("the other process knows the key", async () => (await beside.get("/api/cdp/stats")).status === 200);
    await sendAll(tenant);
    await until("all is in history", async () => {
      const { totalEvents } = await tenant.client.read<{ totalEvents: number }>("/api/cdp/stats");
      return totalEvents + (await tenant.client.list("/api/cdp/quarantine")).length >= tenant.ledger.size;
    }, 180_000);
    await until("the outbox is empty", async () => (await (state as PostgresClone).db.query("select from outbox limit 1")).length === 0);
    await sharedAmong(3);
    const { violations, events: compared } = await checkTenant(tenant, lateness, new Map());
    expect(violations).toEqual([]);
    expect(compared).toBe(tenant.ledger.size);
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { connectHistory } from "../stores/clickhouse/connect.ts";
import { type ClickhouseServer, startClickhouseServer } from "../testing/clickhouse-server.ts";
import { type CuttingProxy, startCuttingProxy } from "../testing/cutting-proxy.ts";
import { createEmptyDatabase, type EmptyDatabase } from "../testing/empty-database.ts";
import { type Client, createClient, type EventRow, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";

const people = 50;
const rounds = 24;

/** A merge would take rows away that were written twice. */
async function stopMerges(): Promise<void> {
  const history = await connectHistory({ at: { url: clickhouse.url }, database: historyDatabase });
  await history.command("system stop merges").finally(() => history.close());
}

/** One event of each person. */
const batchOf = (round: number): object => ({
  events: Array.from({ length: people }, (_, at) => ({ eventId: `e-${round}-${at}`, userId: `user-${at}`, type: "view", timestamp: new Date().toISOString() })),
});

const historyDatabase = "cdp_history";

let clickhouse: ClickhouseServer;
let proxy: CuttingProxy;
let database: EmptyDatabase;
let server: ServerProcess;
let api: Client;

beforeAll(async () => {
  clickhouse = await startClickhouseServer();
  proxy = await startCuttingProxy(() => clickhouse.port);
  database = await createEmptyDatabase();
  server = await createServerProcess({
    DATABASE_URL: database.url, DATABASE_READ_URL: database.url,
    CLICKHOUSE_URL: `${clickhouse.url.replace(/:\d+$/, `:${proxy.port}`)}/${historyDatabase}`, CLICKHOUSE_CLUSTER: process.env["TEST_CLICKHOUSE_CLUSTER"] ?? "",
  });
  await server.start();
  await stopMerges();
  api = createClient(server.url);
});
afterAll(async () => {
  await server.remove();
  await proxy.close();
  await clickhouse.remove();
  await database.drop();
});

const sendRound = (round: number): Promise<number> => api.post("/api/cdp/events/batch", batchOf(round)).then(({ status }) => status, () => 0);

/** Resolves when the events of a round have come to ClickHouse and wait there, and goes on while they do. */
async function whileInsertWaits(round: number, then: () => Promise<void>): Promise<void> {
  await untilProcessed(server);
  await clickhouse.delayInserts(60_000);
  await until(`round ${round} is accepted`, async () => (await sendRound(round)) === 202);
  await until("an insert waits at the server", async () => (await clickhouse.running()).some((id) => id.includes("-partition-")));
  await clickhouse.delayInserts(0);
  await then();
}

/** What happens before a round is sent; mostly there is work under way, of the round before. */
const mishaps: Record<number, (round: number) => Promise<void>> = {
  3: () => server.kill().then(() => server.start()),
  6: async () => proxy.cut(),
  8: async () => proxy.swallow(2),
  10: () => database.endConnections(),
  12: () => clickhouse.kill().then(() => clickhouse.start()).then(stopMerges),
  14: (round) => whileInsertWaits(round, async () => proxy.cut()),
  16: (round) => whileInsertWaits(round, () => server.kill().then(() => server.start())),
};

test("with PostgreSQL and ClickHouse elsewhere every event counts once, whichever of the three dies and wherever a connection is cut", { timeout: 240_000 }, async () => {
  for (let round = 0; round < rounds; round++) {
    await mishaps[round]?.(round);
    await until(`round ${round} is accepted`, async () => (await sendRound(round)) === 202);
  }
  await until("no answer is left to be lost", () => proxy.swallowed());
  await untilProcessed(server);
  await until("nothing is inserted any more", async () => !(await clickhouse.running()).some((id) => id.includes("-partition-")));

  const ids = (await api.list<EventRow>("/api/cdp/events")).map((row) => row.eventId);
  expect([ids.length, new Set(ids).size]).toEqual([people * rounds, people * rounds]);
  for (let at = 0; at < people; at++) expect(await api.lookup("external_id", `user-${at}`)).toMatchObject({ totalEvents: rounds });
  await until("health is good", async () => (await api.send("GET", "/api/cdp/health")).status === 200);
});

test("nothing of it is kept in the data directory but the log, the mirror and the secrets", async () => {
  expect(server.pids()).toHaveLength(1);
});

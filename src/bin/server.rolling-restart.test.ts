import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type EventRow, untilProcessed } from "../testing/server-client.ts";
import { adminKey, createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";

let server: ServerProcess;
let api: Client;
let sentSoFar = 0;

const batchRoute = "/api/cdp/events/batch";
const rows = (count: number) => Array.from({ length: count }, () => ({ type: "Viewed", eventId: `e-${++sentSoFar}`, userId: `u${sentSoFar % 5}` }));
const probe = async (name: "live" | "ready"): Promise<number> => (await fetch(`${server.url}/health/${name}`)).status;
const refusesConnections = (): Promise<boolean> => probe("live").then(() => false, () => true);
const atOnce = /ended at once\. What was accepted is kept, and the next start goes on with it\.\n$/;

beforeAll(async () => {
  server = await createServerProcess();
  await server.start();
  api = createClient(server.url);
});
afterAll(() => server.remove());

async function expectAllThere(answered: string[]): Promise<void> {
  await untilProcessed(server);
  const ids = (await api.list<EventRow>("/api/cdp/events")).map((row) => row.eventId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(answered).difference(new Set(ids))).toEqual(new Set());
}

test("whoever heeds /health/ready gets every request answered while it stops, and nothing is lost", async () => {
  await server.stop();
  await server.start({ SHUTDOWN_DELAY: "3s" });
  const answered: string[] = [];
  let ready = true;
  const sendOn = async (): Promise<void> => {
    while (ready) {
      const events = rows(20);
      expect((await api.post(batchRoute, { events })).status).toBe(202);
      answered.push(...events.map((event) => event.eventId));
    }
  };
  const senders = Promise.all(Array.from({ length: 4 }, sendOn));
  await until("500 events were answered", () => answered.length >= 500);
  const ending = server.stop();
  await until("it says that it is stopping", async () => (await probe("ready")) === 503);
  const before = answered.length;
  await until("events are taken all the same", () => answered.length > before);
  const said = await fetch(`${server.url}/health/ready`);
  expect([said.headers.get("connection"), await said.json()]).toEqual(["close", { status: "error", timestamp: expect.any(String), failing: ["stopping"] }]);
  expect(await probe("live")).toBe(200);
  ready = false;
  await senders;
  expect((await ending).code).toBe(0);
  await server.start();
  await expectAllThere(answered);
});

test("a request that is still arriving when it stops is answered", async () => {
  const [event] = rows(1);
  const body = JSON.stringify(event);
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`POST /api/cdp/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${adminKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
  // The one after it is answered, so the first has been seen.
  expect(await probe("ready")).toBe(200);
  const ending = server.stop();
  await until("it takes no more connections", refusesConnections);
  socket.write(body.slice(10));
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 202 /);
  expect((await ending).code).toBe(0);
  await server.start();
  await expectAllThere([event?.eventId ?? ""]);
});

/** Sends events that cannot get into state, for PostgreSQL stands still: a stop waits for them. */
async function startWithFrozenPostgres(env: Record<string, string>): Promise<string[]> {
  await server.stop();
  await server.start(env);
  server.signalPostgres("SIGSTOP", "all");
  const events = rows(50);
  expect((await api.post(batchRoute, { events })).status).toBe(202);
  await until("its processing hangs", async () => (await probe("live")) === 200 && (await api.get("/api/cdp/health")).status === 503);
  return events.map((event) => event.eventId);
}

test("SHUTDOWN_TIMEOUT ends a stop that cannot end, and the next start goes on with what was accepted", async () => {
  const answered = await startWithFrozenPostgres({ SHUTDOWN_TIMEOUT: "1s" });
  const { code, output } = await server.stop();
  expect([code, output]).toEqual([1, expect.stringMatching(atOnce)]);
  server.signalPostgres("SIGCONT", "all");
  await server.start();
  await expectAllThere(answered);
});

test("a second SIGTERM ends a stop that cannot end at once", async () => {
  const answered = await startWithFrozenPostgres({ SHUTDOWN_TIMEOUT: "50s" });
  const ending = server.stop();
  await until("it takes no more connections", refusesConnections);
  process.kill(server.pids()[0] as number, "SIGTERM");
  const { code, output } = await ending;
  expect([code, output]).toEqual([1, expect.stringMatching(atOnce)]);
  expect(output).toContain("Told to stop twice");
  server.signalPostgres("SIGCONT", "all");
  await server.start();
  await expectAllThere(answered);
});

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, readMeter, untilProcessed, type Client, type EventRow } from "../testing/server-client.ts";
import { adminKey, createServerProcess, until, type ServerProcess } from "../testing/server-process.ts";

let server: ServerProcess;
let api: Client;
const sockets: Socket[] = [];

/** Large events: a page of 1,000 of them would be 90 MB. */
const largeEvents = 160;
const largeText = "x".repeat(90_000);
const pageBytesMax = 6_000_000;

beforeAll(async () => {
  server = await createServerProcess();
  await server.start();
  api = createClient(server.url);
  for (let from = 0; from < largeEvents; from += 40) {
    const events = Array.from({ length: 40 }, (_, i) => ({ type: "large", eventId: `large-${from + i}`, userId: "hoarder", properties: { text: largeText } }));
    expect((await api.post("/api/cdp/events/batch", { events })).status).toBe(202);
  }
  await untilProcessed(server);
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server.remove();
});

/** A connection on which nothing is read unless somebody asks for it. */
async function openSocket(): Promise<Socket> {
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.pause();
  await once(socket, "connect");
  return socket;
}

const requestOf = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${adminKey}\r\n\r\n`;

/** Sends an event and waits until its profile shows it. */
async function sendAndSee(userId: string): Promise<void> {
  const { status } = await api.post("/api/cdp/events", { type: "seen", eventId: `seen-${userId}`, userId });
  expect(status).toBe(202);
  await until(`the profile of ${userId} is there`, async () => (await api.lookup("external_id", userId)) !== undefined);
}

test("a page holds so many bytes at most, and the cursor goes on where it ended", async () => {
  const seen: string[] = [];
  let [cursor, pages]: [string | null, number] = ["", 0];
  while (cursor !== null) {
    const { status, body } = await api.get<string>(`/api/cdp/events?type=large&limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    expect(status).toBe(200);
    expect(JSON.stringify(body).length).toBeLessThan(pageBytesMax);
    const page = body as unknown as { data: EventRow[]; meta: { nextCursor: string | null } };
    seen.push(...page.data.map((row) => row.eventId));
    cursor = page.meta.nextCursor;
    pages += 1;
  }
  expect(pages).toBeGreaterThan(2);
  expect(seen.toSorted()).toEqual(Array.from({ length: largeEvents }, (_, i) => `large-${i}`).toSorted());
});

test("a small page is cut by bytes as well", async () => {
  const rows = await api.list<EventRow>("/api/cdp/events?type=large", 100);
  expect(new Set(rows.map((row) => row.eventId)).size).toBe(largeEvents);
});

test("200 readers that take nothing of a long list cost bounded memory, and nobody else notices them", async () => {
  const before = await readMeter(server, "process_resident_memory_bytes");
  const readers = await Promise.all(Array.from({ length: 200 }, openSocket));
  for (const reader of readers) reader.write(requestOf("/api/cdp/events?limit=1000"));
  // One of them takes a byte at a time.
  const [slow] = readers;
  const taking = (async () => {
    while (slow && !slow.destroyed) {
      slow.read(1);
      await pause(10);
    }
  })();
  for (let i = 0; i < 5; i++) await sendAndSee(`bystander-${i}`);
  expect((await api.get("/api/cdp/profiles/lookup?type=external_id&value=hoarder")).status).toBe(200);
  await until("all lists are read or refused", async () => (await api.get("/api/cdp/events?limit=1")).status === 200);
  expect((await readMeter(server, "process_resident_memory_bytes")) - before).toBeLessThan(700_000_000);
  for (const reader of readers) reader.destroy();
  await taking;
  const { status } = await api.get("/api/cdp/events?limit=1000");
  expect(status).toBe(200);
});

test("a request that comes byte by byte is answered, and others do not wait for it", async () => {
  const socket = await openSocket();
  const text = requestOf("/api/cdp/events?limit=1");
  for (const letter of text.slice(0, -1)) {
    socket.write(letter);
    await pause(1);
  }
  await sendAndSee("quick");
  socket.write(text.slice(-1));
  const [answer] = (await once(socket.resume(), "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200/);
});

test("while PostgreSQL hangs reads answer 503 and events are taken; both go on by themselves", async () => {
  server.signalPostgres("SIGSTOP", "all");
  try {
    const lookups = await Promise.all(Array.from({ length: 30 }, () => api.get("/api/cdp/profiles/lookup?type=external_id&value=hoarder")));
    expect(new Set(lookups.map(({ status, body }) => `${status} ${(body as { error: { code: string } }).error.code}`))).toEqual(new Set(["503 state_unavailable"]));
    expect((await api.post("/api/cdp/events", { type: "meanwhile", eventId: "meanwhile", userId: "meanwhile" })).status).toBe(202);
  } finally {
    server.signalPostgres("SIGCONT", "all");
  }
  await until("the event is in its profile", async () => (await api.send("GET", "/api/cdp/profiles/lookup?type=external_id&value=meanwhile")).status === 200);
});

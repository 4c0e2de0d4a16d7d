import { afterEach, expect, test } from "vitest";
import { type Client, createClient, type EventRow, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess } from "../testing/server-process.ts";

const batchRoute = "/api/cdp/events/batch";
const megabyte = 1_048_576;
const othersMsMax = 5_000;

interface RowResult { status: string; eventId: string; error?: { code: string; message: string; details?: { field: string; message: string }[] } }
interface BatchAnswer { data: { accepted: number; rejected: number; results: RowResult[] } }

let server: ServerProcess;
afterEach(() => server.remove());

async function start(env: Record<string, string> = {}): Promise<Client> {
  server = await createServerProcess(env);
  await server.start();
  return createClient(server.url);
}

async function openTenant(name: string): Promise<Client> {
  const { body } = await createClient(server.url).post<{ data: { apiKey: string } }>("/api/cdp/tenants", { name });
  return createClient(server.url, body.data.apiKey);
}

/** Somebody else's event, of the same tenant or of another, is in its profile within seconds. */
async function expectServed(...clients: Client[]): Promise<void> {
  for (const client of clients) expect((await client.post("/api/cdp/events", { type: "Viewed", userId: "bystander" })).status).toBe(202);
  await untilProcessed(server, othersMsMax);
  for (const client of clients) expect((await client.lookup("external_id", "bystander"))?.totalEvents).toBe(1);
}

const bad: [string, unknown, string][] = [
  ["no object", 7, ""], ["no type", { userId: "u" }, "type"], ["a type that is no text", { type: 5, userId: "u" }, "type"],
  ["a time that is none", { type: "x", userId: "u", timestamp: "yesterday" }, "timestamp"], ["a time before 1971", { type: "x", userId: "u", timestamp: "1900-01-01T00:00:00Z" }, "timestamp"],
  ["a userId that is an object", { type: "x", userId: {} }, "userId"], ["properties that are a text", { type: "x", userId: "u", properties: "none" }, "properties"],
  ["an identifier of an unknown kind", { type: "x", identifiers: [{ type: "shoe", value: "42" }] }, "identifiers"],
];

test("of 1,000 rows of which 999 are bad one is kept, each bad one is answered in its place and names its field, and others are served", async () => {
  const api = await start();
  const other = await openTenant("other");
  const place = 617;
  const rows = Array.from({ length: 1000 }, (_, n) => (n === place ? { type: "Kept", userId: "good", eventId: "the-good-one" } : bad[n % bad.length]?.[1]));
  const { status, body } = await api.post<BatchAnswer>(batchRoute, { events: rows });
  expect([status, body.data.accepted, body.data.rejected, body.data.results.length]).toEqual([202, 1, 999, 1000]);
  expect(body.data.results[place]).toMatchObject({ status: "accepted", eventId: "the-good-one" });
  const wrong = body.data.results.flatMap((row, n) => {
    const [name, , field] = bad[n % bad.length] as (typeof bad)[number];
    const isNamed = row.status === "rejected" && row.error !== undefined && (field === "" || row.error.details?.some((detail) => detail.field.startsWith(field)));
    return n === place || isNamed ? [] : [{ n, name, row }];
  });
  expect(wrong).toEqual([]);
  await expectServed(api, other);
  expect((await api.list<EventRow>("/api/cdp/events")).map((row) => row.eventId).filter((id) => id === "the-good-one")).toHaveLength(1);
  expect((await api.read<{ totalEvents: number }>("/api/cdp/stats")).totalEvents).toBe(2);
});

const large = { type: "Large", eventId: "large", userId: "hoarder", properties: { text: "x".repeat(megabyte), after: "it" } };

test("a property of 1 MB is refused by default, alone and with a sentence that says how large an event may be", async () => {
  const api = await start();
  const other = await openTenant("other");
  const alone = await api.post<{ error: { code: string; message: string } }>("/api/cdp/events", large);
  expect([alone.status, alone.body.error.code]).toEqual([413, "body_too_large"]);
  expect(alone.body.error.message).toMatch(/131,?072|128/);
  const { status, body } = await api.post<BatchAnswer>(batchRoute, { events: [large, { type: "Small", userId: "beside", eventId: "small" }] });
  expect([status, body.data.results[0]?.error?.code, body.data.results[1]?.status]).toEqual([202, "body_too_large", "accepted"]);
  await expectServed(api, other);
  expect(await api.lookup("external_id", "hoarder")).toBeUndefined();
  expect((await api.lookup("external_id", "beside"))?.totalEvents).toBe(1);
});

test("with MAX_EVENT_BYTES of 2 MB a property of 1 MB is taken, kept and read back, and so is a trait", async () => {
  const api = await start({ MAX_EVENT_BYTES: "2MB" });
  const other = await openTenant("other");
  expect((await api.post("/api/cdp/events", large)).status).toBe(202);
  expect((await api.post(batchRoute, { events: [{ type: "identify", userId: "hoarder", traits: { essay: "y".repeat(megabyte) } }] })).status).toBe(202);
  await untilProcessed(server);
  const row = (await api.list<EventRow>("/api/cdp/events?type=Large"))[0];
  expect(row?.properties).toEqual(large.properties);
  expect((await api.lookup("external_id", "hoarder"))?.attributes["essay"]).toBe("y".repeat(megabyte));
  await expectServed(api, other);
});

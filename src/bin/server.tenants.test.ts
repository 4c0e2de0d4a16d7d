import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type EventRow, type ProfileRow, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess } from "../testing/server-process.ts";

let server: ServerProcess;
let ours: Client;
let theirs: Client;
let writer: Client;

async function createTenant(name: string): Promise<Client> {
  const { status, body } = await createClient(server.url).post<{ data: { apiKey: string } }>("/api/cdp/tenants", { name });
  expect(status).toBe(201);
  return createClient(server.url, body.data.apiKey);
}

const startedMs = Date.now();
const ago = (minutes: number): string => new Date(startedMs - minutes * 60_000).toISOString();
const late = { eventId: "same-late", ts: ago(10), payload: { type: "TRACK", userId: "same", name: "Late" } };

/** The same people, ids and event ids for both; only what is said about them differs. */
async function tell(client: Client, of: string, amount: number, count: number): Promise<void> {
  const person = { userId: "same", email: "same@example.com", anonymousId: "same-visitor" };
  const events = Array.from({ length: count }, (_, i) => ({ type: "purchase", eventId: `same-${i}`, ...person, timestamp: ago(i), properties: { of, amount } }));
  const answers = [
    await client.post("/api/cdp/events/batch", { events }),
    await client.post("/api/cdp/events", { type: "identify", eventId: "same-who", ...person, traits: { of, [`only-${of}`]: true } }),
    await client.post("/cdp/ingest", { ...late, payload: { ...late.payload, properties: { of } } }),
  ];
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202]);
}

beforeAll(async () => {
  server = await createServerProcess();
  await server.start();
  [ours, theirs] = [await createTenant("ours"), await createTenant("theirs")];
  const source = await ours.post<{ data: { writeKey: string } }>("/api/cdp/sources", { name: "web" });
  writer = createClient(server.url, source.body.data.writeKey);
  // Both at once, so that their events share batches.
  await Promise.all([tell(ours, "ours", 10, 3), tell(theirs, "theirs", 100, 5)]);
  await untilProcessed(server);
});
afterAll(() => server.remove());

const profileOf = async (client: Client): Promise<ProfileRow> => (await client.lookup("external_id", "same")) as ProfileRow;
const namesIn = (rows: EventRow[]): Set<unknown> => new Set(rows.filter((row) => row.type === "purchase").map((row) => row.properties["of"]));

test("profiles of the same identifiers are two, each with its own tenant's events, traits and money", async () => {
  const [mine, other] = [await profileOf(ours), await profileOf(theirs)];
  expect(mine).toMatchObject({ totalEvents: 4, totalPurchases: 3, totalRevenue: 30, attributes: { of: "ours", "only-ours": true } });
  expect(other).toMatchObject({ totalEvents: 6, totalPurchases: 5, totalRevenue: 500, attributes: { of: "theirs", "only-theirs": true } });
  expect(mine.attributes).not.toHaveProperty("only-theirs");
  expect(mine.id).not.toBe(other.id);
  for (const [type, value] of [["email", "same@example.com"], ["anonymous_id", "same-visitor"]] as const) {
    expect([(await ours.lookup(type, value))?.id, (await theirs.lookup(type, value))?.id]).toEqual([mine.id, other.id]);
  }
});

test("the other tenant's profile id is not found, wherever one is taken", async () => {
  const { id } = await profileOf(theirs);
  for (const path of [`/api/cdp/profiles/${id}`, `/api/cdp/profiles/${id}/events`, `/api/cdp/profiles/${id}/timeline`, `/api/cdp/events?profileId=${id}`]) {
    expect([path, (await ours.get(path)).status, (await theirs.get(path)).status]).toEqual([path, 404, 200]);
  }
  const event = { type: "Viewed", eventId: "by-profile", profileId: id };
  expect([(await ours.post("/api/cdp/events", event)).status, (await writer.post("/api/cdp/events", event)).status]).toEqual([404, 404]);
  expect((await ours.post("/api/cdp/events/batch", { events: [event] })).body).toMatchObject({ data: { accepted: 0, rejected: 1 } });
  expect((await profileOf(theirs)).totalEvents).toBe(6);
});

test("event lists, event status and stats show one's own", async () => {
  const [mine, other] = [await ours.list<EventRow>("/api/cdp/events"), await theirs.list<EventRow>("/api/cdp/events")];
  expect([mine.length, namesIn(mine), other.length, namesIn(other)]).toEqual([4, new Set(["ours"]), 6, new Set(["theirs"])]);
  const idOf = { ours: (await profileOf(ours)).id, theirs: (await profileOf(theirs)).id };
  expect([new Set(mine.map((row) => row.profileId)), new Set(other.map((row) => row.profileId))]).toEqual([new Set([idOf.ours]), new Set([idOf.theirs])]);

  expect(await ours.read("/api/cdp/events/same-0")).toMatchObject({ status: "processed", others: 0, event: { properties: { of: "ours" } } });
  expect([await ours.statusOf("same-4"), await theirs.statusOf("same-4")]).toEqual(["answered 404", "processed"]);
  expect(await ours.read("/api/cdp/stats")).toMatchObject({ totalProfiles: 1, totalEvents: 4 });
  expect(await theirs.read("/api/cdp/stats")).toMatchObject({ totalProfiles: 1, totalEvents: 6 });
});

test("quarantine is one's own, and replaying one's own leaves the other's of the same id", async () => {
  interface HeldRow { event: { properties: { of: string } } }
  const held = async (client: Client): Promise<string[]> => (await client.list<HeldRow>("/api/cdp/quarantine")).map((row) => row.event.properties.of);
  expect([await held(ours), await held(theirs)]).toEqual([["ours"], ["theirs"]]);
  expect((await ours.post("/api/cdp/quarantine/replay", { eventIds: ["same-late"] })).body).toMatchObject({ data: { replayed: 1 } });
  await untilProcessed(server);
  expect([await held(ours), await held(theirs)]).toEqual([[], ["theirs"]]);
  expect([(await profileOf(ours)).totalEvents, (await profileOf(theirs)).totalEvents]).toEqual([5, 6]);
  expect([await ours.statusOf("same-late"), await theirs.statusOf("same-late")]).toEqual(["processed", "quarantined"]);
});

test("a source of the other tenant is not found", async () => {
  interface SourceRow { sourceId: string; name: string }
  const [mine, other] = [await ours.list<SourceRow>("/api/cdp/sources", 200), await theirs.list<SourceRow>("/api/cdp/sources", 200)];
  expect([mine.map((row) => row.name).sort(), other.map((row) => row.name).sort()]).toEqual([["api", "import", "stream", "web"], ["api", "import", "stream"]]);
  const { sourceId } = other[0] as SourceRow;
  const answers = [
    await ours.get(`/api/cdp/quarantine?sourceId=${sourceId}`),
    await ours.get(`/api/cdp/events/same-0?sourceId=${sourceId}`),
    await ours.post("/api/cdp/quarantine/replay", { sourceId }),
  ];
  expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404]);
});

test("keys of the other tenant are neither listed nor deleted", async () => {
  interface KeyRow { keyId: string }
  const [mine, other] = [await ours.list<KeyRow>("/api/cdp/keys", 200), await theirs.list<KeyRow>("/api/cdp/keys", 200)];
  expect([mine.length, other.length]).toEqual([1, 1]);
  expect((await ours.send("DELETE", `/api/cdp/keys/${other[0]?.keyId}`)).status).toBe(404);
  expect((await theirs.get("/api/cdp/stats")).status).toBe(200);
});

test("a cursor of the other tenant is only a place: it shows nothing of theirs", async () => {
  const page = (await theirs.get<{ meta: { nextCursor: string } }>("/api/cdp/events?limit=1")).body;
  const rows = await ours.list<EventRow>("/api/cdp/events", 1);
  const { body } = await ours.get<{ data: EventRow[] }>(`/api/cdp/events?limit=1000&cursor=${page.meta.nextCursor}`);
  expect(namesIn(body.data)).toEqual(new Set(["ours"]));
  expect(rows.map((row) => row.eventId)).toEqual(expect.arrayContaining(body.data.map((row) => row.eventId)));
  const { id } = await profileOf(ours);
  const ofProfile = await ours.get<{ data: EventRow[] }>(`/api/cdp/profiles/${id}/events?cursor=${page.meta.nextCursor}`);
  expect(namesIn(ofProfile.body.data)).toEqual(new Set(["ours"]));
});

test("a write key sends to its own source and reads nothing, not even what it sent", async () => {
  expect((await writer.post("/api/cdp/events", { type: "Viewed", eventId: "written", userId: "same" })).status).toBe(202);
  await untilProcessed(server);
  const { id } = await profileOf(ours);
  const reads = [
    "/api/cdp/events", "/api/cdp/events/written", `/api/cdp/profiles/${id}`, `/api/cdp/profiles/${id}/events`, `/api/cdp/profiles/${id}/timeline`,
    "/api/cdp/profiles/lookup?type=external_id&value=same", "/api/cdp/stats", "/api/cdp/quarantine", "/api/cdp/sources", "/api/cdp/keys", "/api/cdp/tenants", "/metrics",
  ];
  const changes: [string, object][] = [
    ["/api/cdp/quarantine/replay", { from: ago(60) }], ["/api/cdp/sources", { name: "mine" }], ["/api/cdp/keys", { name: "mine" }], ["/api/cdp/tenants", { name: "mine" }],
    ["/api/cdp/events/batch", { historical: true, events: [{ type: "Viewed", userId: "same" }] }],
  ];
  for (const path of reads) expect([path, (await writer.get(path)).status]).toEqual([path, 403]);
  for (const [path, body] of changes) expect([path, (await writer.post(path, body)).status]).toEqual([path, 403]);
  expect((await ours.get("/api/cdp/events/written")).status).toBe(200);
  expect((await theirs.get("/api/cdp/events/written")).status).toBe(404);
});

test("only the admin key makes tenants and reads meters, and it sees no other tenant's data", async () => {
  const admin = createClient(server.url);
  for (const path of ["/api/cdp/tenants", "/metrics"]) expect([path, (await ours.get(path)).status, (await admin.get(path)).status]).toEqual([path, 403, 200]);
  expect((await ours.post("/api/cdp/tenants", { name: "more" })).status).toBe(403);
  expect([await admin.lookup("external_id", "same"), await admin.list("/api/cdp/events"), await admin.list("/api/cdp/quarantine")]).toEqual([undefined, [], []]);
  expect((await admin.get(`/api/cdp/profiles/${(await profileOf(ours)).id}`)).status).toBe(404);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type EventRow, type ProfileRow, readMeter, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess } from "../testing/server-process.ts";

let server: ServerProcess;
let api: Client;
beforeAll(async () => {
  server = await createServerProcess();
  await server.start();
  api = createClient(server.url);
});
afterAll(() => server.remove());

interface HeldRow {
  eventId: string;
  status: string;
  reason: string;
  timestamp: string;
  event: { kind: string; traits?: object; properties?: object };
}

const startedMs = Date.now();
/** ISO time so many minutes before this file began. */
const ago = (minutes: number): string => new Date(startedMs - minutes * 60_000).toISOString();
const identify = (eventId: string, userId: string, ts: string, traits: object) => ({ eventId, ts, payload: { type: "IDENTIFY", userId, traits } });
const track = (eventId: string, userId: string, ts: string, properties = {}) => ({ eventId, ts, payload: { type: "TRACK", userId, name: "Feature Used", properties } });

async function ingest(...events: object[]): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for (const event of events) {
    const { status, body } = await api.post("/cdp/ingest", event);
    expect(status).toBe(202);
    bodies.push(body);
  }
  await untilProcessed(server);
  return bodies;
}
const heldOf = async (query = ""): Promise<HeldRow[]> => api.list<HeldRow>(`/api/cdp/quarantine${query}`);
const heldIds = async (query = ""): Promise<string[]> => (await heldOf(query)).map((row) => row.eventId).sort();
async function eventsOf(userId: string): Promise<EventRow[]> {
  const profile = await api.lookup("external_id", userId);
  return profile ? await api.list<EventRow>(`/api/cdp/profiles/${profile.id}/events`) : [];
}
async function replay(body: object): Promise<unknown> {
  const answer = await api.post<{ data: unknown }>("/api/cdp/quarantine/replay", body);
  expect(answer.status).toBe(202);
  await untilProcessed(server);
  return answer.body.data;
}
async function createSource(latePolicy: string): Promise<{ sourceId: string; client: Client }> {
  const { body } = await api.post<{ data: { sourceId: string; writeKey: string } }>("/api/cdp/sources", { name: `late-${latePolicy}`, latePolicy });
  return { sourceId: body.data.sourceId, client: createClient(server.url, body.data.writeKey) };
}

test("a late event on /cdp/ingest is taken, listed, known by its id, and in no profile", async () => {
  const late = { status: "accepted", eventId: "late-1", late: true, disposition: "quarantined" };
  expect(await ingest(track("late-1", "q1", ago(10), { n: 1 }), track("live-1", "q1", ago(0)))).toEqual([late, { status: "accepted", eventId: "live-1" }]);
  expect(await heldOf()).toMatchObject([{ eventId: "late-1", status: "quarantined", reason: "late", timestamp: ago(10), event: { kind: "track", properties: { n: 1 } } }]);
  expect([await api.statusOf("late-1"), await api.statusOf("live-1")]).toEqual(["quarantined", "processed"]);
  expect((await eventsOf("q1")).map((row) => row.eventId)).toEqual(["live-1"]);
  expect(await readMeter(server, "cdp_events_dropped")).toBe(1);
});

test("a duplicate of a quarantined event is recognised, with the same time or another", async () => {
  const hits = await readMeter(server, "cdp_events_dedup_hits");
  await ingest(track("late-1", "q1", ago(10), { n: 1 }), track("late-1", "q1", ago(0), { n: 2 }));
  expect(await readMeter(server, "cdp_events_dedup_hits")).toBe(hits + 2);
  expect(await heldOf()).toMatchObject([{ eventId: "late-1", timestamp: ago(10), event: { properties: { n: 1 } } }]);
  expect((await api.lookup("external_id", "q1"))?.totalEvents).toBe(1);
});

test("replay applies an event with its own time and id", async () => {
  expect(await replay({ eventIds: ["late-1"] })).toEqual({ replayed: 1, more: false });
  expect((await eventsOf("q1")).map((row) => [row.eventId, row.timestamp])).toEqual([["live-1", ago(0)], ["late-1", ago(10)]]);
  expect(await api.lookup("external_id", "q1")).toMatchObject({ totalEvents: 2, computed: { firstSeenDate: ago(10), lastSeenDate: ago(0) } });
  expect(await api.statusOf("late-1")).toBe("processed");
  expect(await heldOf()).toEqual([]);
});

test("replaying again changes nothing, nor does sending the event again, nor a restart between", async () => {
  const before = [await api.lookup("external_id", "q1"), await eventsOf("q1")];
  expect([await replay({ eventIds: ["late-1"] }), await replay({ from: ago(60) })]).toEqual([{ replayed: 0, more: false }, { replayed: 0, more: false }]);
  await ingest(track("late-1", "q1", ago(10), { n: 1 }), track("late-1", "q1", ago(0), { n: 2 }));
  await ingest(track("late-2", "q2", ago(10)));
  expect((await server.stop()).code).toBe(0);
  await server.start();
  await ingest(track("late-1", "q1", ago(10), { n: 1 }), track("late-2", "q2", ago(0)));
  expect([await api.lookup("external_id", "q1"), await eventsOf("q1")]).toEqual(before);
  expect([await heldIds(), await api.lookup("external_id", "q2")]).toEqual([["late-2"], undefined]);
});

test("replay takes only the source and the times it is told", async () => {
  const shop = await createSource("quarantine");
  const send = (eventId: string, minutes: number) => shop.client.post("/api/cdp/events", { type: "Viewed", userId: "q3", eventId, timestamp: ago(minutes) });
  expect((await send("shop-1", 10)).body).toMatchObject({ data: { late: true, disposition: "quarantined" } });
  await send("shop-2", 30);
  await send("shop-3", 50);
  await untilProcessed(server);
  expect(await heldIds(`?sourceId=${shop.sourceId}&from=${ago(40)}`)).toEqual(["shop-1", "shop-2"]);
  expect(await replay({ sourceId: shop.sourceId, from: ago(40), to: ago(20) })).toEqual({ replayed: 1, more: false });
  expect([await heldIds(), (await eventsOf("q3")).map((row) => row.eventId)]).toEqual([["late-2", "shop-1", "shop-3"], ["shop-2"]]);
});

test("a source with policy apply takes the same late event into the profile at once", async () => {
  const web = await createSource("apply");
  expect((await web.client.post("/cdp/ingest", track("late-3", "q4", ago(10)))).body).toEqual({ status: "accepted", eventId: "late-3" });
  await untilProcessed(server);
  expect((await eventsOf("q4")).map((row) => [row.eventId, row.timestamp])).toEqual([["late-3", ago(10)]]);
});

/** STREAM's example at 10:00, 11:00 and 10:30: the last one comes too late for `plan` and in time for what nobody set since. */
const example = (userId: string, ts: (minutes: number) => string) => [
  identify(`${userId}-a`, userId, ts(120), { plan: "free", country: "US" }),
  identify(`${userId}-b`, userId, ts(60), { plan: "pro" }),
  identify(`${userId}-c`, userId, ts(90), { plan: "basic", city: "Berlin" }),
];
const traitsAndTimes = async (userId: string): Promise<unknown> => {
  const { id } = (await api.lookup("external_id", userId)) as ProfileRow;
  const { attributes, attributeTimes } = await api.read<ProfileRow & { attributeTimes: object }>(`/api/cdp/profiles/${id}?traitTimes=true`);
  return { attributes, attributeTimes };
};

test.each([
  ["as printed", [0, 1, 2]], ["backwards", [2, 1, 0]], ["the newest first", [1, 0, 2]], ["the stale one first", [2, 0, 1]],
])("each trait keeps its own last write: replayed %s", async (_, order) => {
  const userId = `lww-${order.join("")}`;
  await ingest(...example(userId, ago));
  expect(await api.lookup("external_id", userId)).toBeUndefined();
  for (const at of order) await replay({ eventIds: [`${userId}-${"abc"[at]}`] });
  expect(await traitsAndTimes(userId)).toEqual({
    attributes: { tags: [], customFields: {}, plan: "pro", country: "US", city: "Berlin" },
    attributeTimes: { plan: ago(60), country: ago(120), city: ago(90) },
  });
});

test("an event is applied once when two replay it at the same time", async () => {
  await ingest(track("late-6", "q7", ago(10)));
  await Promise.all([replay({ eventIds: ["late-6"] }), replay({ from: ago(11), to: ago(9) })]);
  expect((await eventsOf("q7")).map((row) => row.eventId)).toEqual(["late-6"]);
  expect((await api.lookup("external_id", "q7"))?.totalEvents).toBe(1);
});

test("a replay that was answered survives kill -9, and what was quarantined is still known as a duplicate", async () => {
  await ingest(track("late-7", "q8", ago(10)), track("late-8", "q8", ago(10)));
  expect((await api.post("/api/cdp/quarantine/replay", { eventIds: ["late-7"] })).status).toBe(202);
  await server.kill();
  // A slow ticker lets what the next test sends come in one batch.
  await server.start({ EVENT_PROCESSOR_TICKER_INTERVAL: "1s" });
  await ingest(track("late-8", "q8", ago(0)));
  expect([await api.lookup("external_id", "q8"), await heldIds()]).toMatchObject([{ totalEvents: 1 }, expect.arrayContaining(["late-8"])]);
});

test("an event that is sent again while it is replayed is applied once", async () => {
  await ingest(track("late-4", "q5", ago(10)), track("late-5", "q6", ago(10)));
  await Promise.all([api.post("/cdp/ingest", track("late-4", "q5", ago(10))), api.post("/cdp/ingest", track("late-5", "q6", ago(0)))]);
  await replay({ eventIds: ["late-4", "late-5"] });
  expect((await eventsOf("q5")).map((row) => [row.eventId, row.timestamp])).toEqual([["late-4", ago(10)]]);
  expect((await eventsOf("q6")).map((row) => [row.eventId, row.timestamp])).toEqual([["late-5", ago(10)]]);
  expect(await readMeter(server, "cdp_events_dead_lettered")).toBe(0);
});

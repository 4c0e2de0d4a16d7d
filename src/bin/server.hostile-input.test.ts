import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Answer, type Client, createClient, type EventRow, readMeter, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess } from "../testing/server-process.ts";

let server: ServerProcess;
let api: Client;
beforeAll(async () => {
  server = await createServerProcess({ EVENT_PROCESSOR_WINDOW_SIZE: "1ms" });
  await server.start();
  api = createClient(server.url);
});
afterAll(() => server.remove());

const startedMs = Date.now();
const batchRoute = "/api/cdp/events/batch";
const nul = String.fromCharCode(0);
const halfCharacter = "\ud800";
let bystanders = 0;

/** Whatever was sent: nothing failed on the server's side, nothing was dead-lettered, and others are served as before. */
afterEach(async () => {
  const userId = `bystander-${++bystanders}`;
  const { status } = await api.post("/api/cdp/events", { type: "Viewed", userId, traits: { plan: "pro" } });
  expect(status).toBe(202);
  await untilProcessed(server);
  const profile = await api.lookup("external_id", userId);
  expect([profile?.totalEvents, profile?.attributes]).toEqual([1, { tags: [], customFields: {}, plan: "pro" }]);
  expect(await readMeter(server, "cdp_events_dead_lettered")).toBe(0);
  expect(await readMeter(server, "cdp_tick_failures")).toBe(0);
  expect(server.output()).not.toMatch(/"level":(50|60)/);
});

/** What an answer says is wrong: the fields that its details name, the row's own in a batch of one. */
const fieldsOf = ({ body }: Answer): string[] => {
  const { error, data } = body as { error?: ErrorBody; data?: { results: { error: ErrorBody }[] } };
  return (error ?? data?.results[0]?.error)?.details?.map((detail) => detail.field) ?? [];
};
interface ErrorBody { code: string; message: string; details?: { field: string; message: string }[] }
const messageOf = ({ body }: Answer): string => (body as { error: ErrorBody }).error.message;

const event = (more: object): object => ({ type: "Viewed", userId: "hostile", ...more });
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

test.each<[string, string | Uint8Array, RegExp]>([
  ["nothing", "", /empty/],
  ["half an object", "{", /not valid JSON/],
  ["a comma too many", '{"type":"Viewed",}', /not valid JSON at position 17/],
  ["single quotes", "{'type':'Viewed'}", /not valid JSON/],
  ["NaN", '{"type":NaN}', /not valid JSON/],
  ["two documents", '{"type":"Viewed"}{"type":"Viewed"}', /not valid JSON/],
  ["a NUL outside of strings", `{"type":${nul}"Viewed"}`, /not valid JSON/],
  ["nesting that never ends", "[".repeat(1_000_000), /not valid JSON/],
  ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0x74, 0xff, 0xfe, 0x22, 0x7d]), /not valid UTF-8/],
  ["an overlong encoding", Buffer.from([0x22, 0xc0, 0xaf, 0x22]), /not valid UTF-8/],
  ["an encoded half character", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /not valid UTF-8/],
  ["UTF-16", Buffer.from('{"type":"Viewed","userId":"u"}', "utf16le"), /not valid/],
])("a body that is no JSON is 400 and says so on every route: %s", async (_, body, sentence) => {
  for (const path of ["/api/cdp/events", batchRoute]) {
    const answer = await api.post(path, body);
    expect([answer.status, answer.body]).toMatchObject([400, { success: false, error: { code: "invalid_json" } }]);
    expect(messageOf(answer)).toMatch(sentence);
  }
  const { status, body: told } = await api.post<{ status: string; message: string }>("/cdp/ingest", body);
  expect([status, told.status]).toEqual([400, "error"]);
  expect(told.message).toMatch(sentence);
});

test.each<[string, unknown]>([["null", null], ["a number", 5], ["a text", '"Viewed"'], ["a list", []], ["true", "true"]])(
  "a body that is no object is 400: %s", async (_, body) => {
    for (const path of ["/api/cdp/events", batchRoute, "/cdp/ingest"]) expect((await api.post(path, body)).status).toBe(400);
  },
);

test("a body beyond 5 MB is 413 whether or not it says its length, and nothing of it is taken", async () => {
  const accepted = await readMeter(server, "cdp_events_accepted");
  const body = JSON.stringify({ events: Array.from({ length: 1000 }, () => event({ properties: { text: "x".repeat(5500) } })) });
  expect((await api.post(batchRoute, body)).status).toBe(413);
  const chunked = await fetch(server.url + batchRoute, {
    method: "POST", headers: { authorization: "Bearer admin-key-of-the-tests", "content-type": "application/json" }, body: new Blob([body]).stream(), duplex: "half",
  } as RequestInit).then((response) => response.status);
  expect(chunked).toBe(413);
  expect(await readMeter(server, "cdp_events_accepted")).toBe(accepted);
});

test("an event beyond 128 KB is 413 alone, and costs only itself in a batch", async () => {
  const large = (bytes: number) => event({ eventId: `large-${bytes}`, userId: "large", properties: { text: "é".repeat(bytes / 2) } });
  expect((await api.post("/api/cdp/events", large(131_072))).body).toMatchObject({ error: { code: "body_too_large", details: [{ field: "event" }] } });
  expect((await api.post("/api/cdp/events", large(131_072))).status).toBe(413);
  expect((await api.post("/cdp/ingest", { eventId: "l", payload: { type: "TRACK", name: "x".repeat(5), userId: "u", properties: { text: "x".repeat(131_072) } } })).status).toBe(413);
  const { status, body } = await api.post(batchRoute, { events: [large(131_072), large(130_000)] });
  expect([status, body]).toMatchObject([202, { data: { accepted: 1, rejected: 1, results: [{ error: { code: "body_too_large" } }, { eventId: "large-130000" }] } }]);
  await untilProcessed(server);
  expect((await api.list<EventRow>("/api/cdp/events?type=Viewed")).find((row) => row.eventId === "large-130000")?.properties["text"]).toBe("é".repeat(65_000));
});

test.each<[string, (deep: string) => string, string]>([
  ["properties", (deep) => `{"type":"Viewed","userId":"u","properties":{"a":${deep}}}`, "properties.a"],
  ["traits", (deep) => `{"type":"identify","userId":"u","traits":{"a":${deep}}}`, "traits.a"],
  ["context", (deep) => `{"type":"Viewed","userId":"u","context":{"a":${deep}}}`, "context.a"],
  ["a field nobody reads", (deep) => `{"type":"Viewed","userId":"u","zzz":${deep}}`, "zzz"],
  ["objects", (deep) => `{"type":"Viewed","userId":"u","properties":${deep.replaceAll("[", '{"a":').replaceAll("]", "}").replace(":}", ":1}")}}`, "properties.a.a"],
  ["the userId", (deep) => `{"type":"Viewed","userId":${deep}}`, "userId"],
])("nesting of 10,000 levels is refused, naming the field: %s", async (_, make, field) => {
  for (const [depth, statuses] of [[10_000, [400, 422]], [100_000, [400, 413, 422]]] as const) {
    const alone = await api.post("/api/cdp/events", make(nested(depth)));
    expect(statuses).toContain(alone.status);
    if (depth === 10_000) expect(fieldsOf(alone)[0]).toContain(field);
    const { status, body } = await api.post(batchRoute, `{"events":[${make(nested(depth))},{"type":"Viewed","userId":"beside"}]}`);
    expect([status, body]).toMatchObject([202, { data: { accepted: 1, rejected: 1 } }]);
  }
  expect((await api.post("/api/cdp/events", make(nested(10)))).status).toBe(field === "userId" ? 400 : 202);
});

test.each([
  ["__proto__", '{"type":"Viewed","userId":"u","__proto__":{"admin":true}}'],
  ["properties.__proto__", '{"type":"Viewed","userId":"u","properties":{"__proto__":{"plan":"polluted"}}}'],
  ["traits.__proto__", '{"type":"identify","userId":"u","traits":{"__proto__":{"plan":"polluted"}}}'],
  ["traits.customFields.__proto__", '{"type":"identify","userId":"u","traits":{"customFields":{"__proto__":{"plan":"polluted"}}}}'],
  ["traits.constructor", '{"type":"identify","userId":"u","traits":{"constructor":{"prototype":{"plan":"polluted"}}}}'],
  ["properties.a[1].constructor", '{"type":"Viewed","userId":"u","properties":{"a":[0,{"constructor":{"prototype":{"plan":"polluted"}}}]}}'],
  ["context.page.prototype", '{"type":"Viewed","userId":"u","context":{"page":{"prototype":{"plan":"polluted"}}}}'],
  ["identifiers[0].__proto__", '{"type":"Viewed","userId":"u","identifiers":[{"__proto__":{"type":"email"},"value":"a@b.c"}]}'],
])("a key that reaches into prototypes is refused by its name: %s", async (field, body) => {
  const alone = await api.post("/api/cdp/events", body);
  expect([alone.status, fieldsOf(alone)]).toEqual([422, [field]]);
  expect(fieldsOf(await api.post(batchRoute, `{"events":[${body}]}`))).toEqual([field]);
  const stream = await api.post<{ message: string }>("/cdp/ingest", `{"eventId":"e","payload":${body}}`);
  expect([stream.status, stream.body.message]).toEqual([400, expect.stringContaining(`payload.${field}`)]);
});

test("an envelope's own odd keys change nothing", async () => {
  const { status, body } = await api.post(batchRoute, '{"__proto__":{"historical":true,"events":[]},"constructor":{"prototype":{}},"events":[{"type":"Viewed","userId":"envelope"}]}');
  expect([status, body]).toMatchObject([202, { data: { accepted: 1, rejected: 0 } }]);
  await untilProcessed(server);
  const [row] = await api.list<EventRow & { historical: boolean }>(`/api/cdp/profiles/${(await api.lookup("external_id", "envelope"))?.id}/events`);
  expect(row?.historical).toBe(false);
});

test.each(["eventId", "type", "userId", "email", "phone", "anonymousId", "deviceId", "sessionId"])("NUL and half characters cannot be in %s", async (field) => {
  for (const odd of [nul, halfCharacter, "\udfff"]) {
    const answer = await api.post("/api/cdp/events", event({ [field]: `a${odd}b@example.com` }));
    expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
  }
});

test.each<[string, object, string]>([
  ["a listed identifier", { identifiers: [{ type: "email", value: `a${nul}@b.c` }] }, "identifiers[0].value"],
  ["a listed identifier's type", { identifiers: [{ type: `em${nul}ail`, value: "a@b.c" }] }, "identifiers[0].type"],
  ["a trait's name", { traits: { [`a${nul}`]: 1 } }, "traits"],
  ["a custom field's name", { traits: { customFields: { [halfCharacter]: 1 } } }, "traits"],
  ["an e-mail among the traits", { type: "identify", traits: { email: `a${halfCharacter}@b.c` } }, "traits.email"],
])("NUL and half characters cannot be in %s", async (_, more, field) => {
  const answer = await api.post("/api/cdp/events", event(more));
  expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
});

test("NUL and half characters in values come back as they were", async () => {
  const odd = { a: `x${nul}y`, b: `x${halfCharacter}y`, [`k${nul}`]: [`${nul}`], [`k${halfCharacter}`]: { deep: "\udfff" } };
  const traits = { nul: `x${nul}y`, half: `x${halfCharacter}y`, list: [nul, { deep: halfCharacter }] };
  const sent = { type: "identify", eventId: "odd", userId: "odd", properties: odd, context: { page: odd, ip: nul }, traits, source: `s${nul}` };
  expect((await api.post("/api/cdp/events", sent)).status).toBe(202);
  await untilProcessed(server);
  const row = await api.read<{ event: object }>("/api/cdp/events/odd");
  expect(row.event).toMatchObject({ properties: odd, context: { page: odd, ip: nul, source: `s${nul}` }, traits });
  expect((await api.lookup("external_id", "odd"))?.attributes).toEqual({ tags: [], customFields: {}, ...traits });
});

test("names that programs trip over are names like any other", async () => {
  const traits = { hasOwnProperty: 1, toString: "text", valueOf: false, __defineGetter__: [1], length: 3, toJSON: "no function", then: {}, "": undefined, "a.b": 1, "0": "zero" };
  expect((await api.post("/api/cdp/events", { type: "toString", eventId: "hasOwnProperty", userId: "valueOf", traits, properties: traits })).status).toBe(202);
  await untilProcessed(server);
  const { "": _, ...expected } = traits;
  expect((await api.lookup("external_id", "valueOf"))?.attributes).toEqual({ tags: [], customFields: {}, ...expected });
  expect(await api.read("/api/cdp/events/hasOwnProperty")).toMatchObject({ event: { type: "toString", properties: expected } });
});

test.each<[string, string, string]>([
  ["properties.amount", '{"type":"purchase","userId":"u","properties":{"amount":1e999}}', "properties.amount"],
  ["a list in traits", '{"type":"identify","userId":"u","traits":{"a":[1,-1e999]}}', "traits.a[1]"],
  ["userId", '{"type":"Viewed","userId":1e999}', "userId"],
  ["a userId that JSON rounds", '{"type":"Viewed","userId":12345678901234567890}', "userId"],
  ["a userId with an exponent", '{"type":"Viewed","userId":1e30}', "userId"],
])("a number that JSON cannot write back is refused: %s", async (_, body, field) => {
  const answer = await api.post("/api/cdp/events", body);
  expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
});

test("absurd amounts are warned about, and reasonable ones beside them add up", async () => {
  const amounts = [1e308, -1e308, 5e-324, "9".repeat(400), "1e400", "12abc", -5, true, [1], { a: 1 }, "0x10", "１２", 1e12, 1e12, 1e12, 0.1, 0.2];
  const events = amounts.map((amount, i) => ({ type: "purchase", userId: "rich", eventId: `rich-${i}`, properties: { amount } }));
  expect((await api.post(batchRoute, { events })).body).toMatchObject({ data: { accepted: amounts.length } });
  await untilProcessed(server);
  expect(await api.lookup("external_id", "rich")).toMatchObject({ totalEvents: amounts.length, totalPurchases: amounts.length, totalRevenue: 3_000_000_000_000.3 });
  expect(await api.read("/api/cdp/events/rich-0")).toMatchObject({ event: { warnings: ["invalid_amount"] } });
});

test.each<[string, number, unknown[]]>([
  ["text", 422, ["now", "", " ", "yesterday", "0", "1700000000000", "2026-02-15T101:30:00.000Z", "2026-02-30T00:00:00Z", "2026-02-15T24:00:00Z", "2026-02-15T10:30:61Z", "15.02.2026",
    "2026-02-15T10:30:00+99:00", "275760-09-13T00:00:00.000Z", "+275760-09-13T00:00:00.000Z", "-000001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "1900-01-01T00:00:00Z",
    "1970-12-31T23:59:59.999Z", "2026-02-15T10:30:00.000Z; drop table events", `2026-02-15T10:30:00Z${nul}`, "２０２６-02-15T10:30:00Z"]],
  ["of another type", 400, [1_700_000_000_000, 0, -1, true, [], ["2026-02-15T10:30:00Z"], {}]],
])("a time that is none names the field: %s is %i", async (_, status, times) => {
  for (const time of times) await expectRefusedTime(time, status);
});

async function expectRefusedTime(time: unknown, status: number): Promise<void> {
  const person = { userId: "u", eventId: "e" };
  const answers: [Answer, string][] = [
    [await api.post("/api/cdp/events", { type: "Viewed", ...person, timestamp: time }), "timestamp"],
    [await api.post("/api/cdp/events", { event_name: "Viewed", ...person, event_time: time }), "event_time"],
    [await api.post(batchRoute, { events: [{ type: "Viewed", ...person, timestamp: time }] }), "timestamp"],
  ];
  for (const [answer, field] of answers) expect(fieldsOf(answer)).toEqual([field]);
  expect(answers.map(([answer]) => answer.status)).toEqual([status, status, 422]);
  const stream = await api.post<{ message: string }>("/cdp/ingest", { ts: time, eventId: "e", payload: { type: "TRACK", name: "Viewed", userId: "u" } });
  expect([stream.status, stream.body.message]).toEqual([400, expect.stringMatching(/^ts /)]);
}

test("a time in the future becomes the time of arrival, and the sender's clock cannot move an event there or before 1971", async () => {
  const future = await api.post("/api/cdp/events", event({ eventId: "future", timestamp: "9999-12-31T23:59:59.999Z" }));
  expect([future.status, future.body]).toMatchObject([202, { data: { warnings: ["future_timestamp"] } }]);
  const skewed = await api.post("/api/cdp/events", event({ eventId: "skewed", timestamp: new Date().toISOString(), sentAt: "0000-01-01T00:00:00Z" }));
  expect([skewed.status, skewed.body]).toMatchObject([202, { data: { warnings: ["future_timestamp"] } }]);
  const back = await api.post("/api/cdp/events", event({ timestamp: new Date().toISOString(), sentAt: "9999-12-31T00:00:00Z" }));
  expect([back.status, fieldsOf(back)]).toEqual([422, ["timestamp"]]);
  await untilProcessed(server);
  for (const eventId of ["future", "skewed"]) {
    const { timestamp } = await api.read<{ timestamp: string }>(`/api/cdp/events/${eventId}`);
    expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(Date.now() - startedMs + 1000);
  }
});

test("999 bad rows of 1,000 are told apart by index and field, and the good one counts", async () => {
  const bad = [null, 5, "text", [], {}, { type: 5 }, { type: "Viewed" }, { type: "", userId: "u" }, { type: "Viewed", userId: {} }, { type: "Viewed", userId: "u", timestamp: "now" }];
  const events = Array.from({ length: 1000 }, (_, i) => (i === 737 ? { type: "Viewed", userId: "survivor", eventId: "survivor" } : bad[i % bad.length]));
  const { status, body } = await api.post<{ data: { accepted: number; rejected: number; results: RowAnswer[] } }>(batchRoute, { events });
  expect([status, body.data.accepted, body.data.rejected]).toEqual([202, 1, 999]);
  expect(body.data.results.map((row) => row.index)).toEqual(events.map((_, i) => i));
  expect(body.data.results.filter((row) => row.status === "accepted").map((row) => row.eventId)).toEqual(["survivor"]);
  const told = body.data.results.slice(0, bad.length).map((row) => row.error?.details?.map((detail) => detail.field).join());
  expect(told).toEqual(["event", "event", "event", "event", "type", "type", "profileId", "type", "userId", "timestamp"]);
  await untilProcessed(server);
  expect((await api.lookup("external_id", "survivor"))?.totalEvents).toBe(1);
});
interface RowAnswer { index: number; eventId: string | null; status: string; error?: ErrorBody }

test.each<[string, unknown, number, string | undefined]>([
  ["1,001 rows", { events: Array(1001).fill(event({})) }, 413, undefined],
  ["no rows", { events: [] }, 422, "events"],
  ["rows that are no list", { events: { 0: event({}) } }, 400, "events"],
  ["no events at all", {}, 422, "events"],
  ["a wrong historical", { historical: "yes", events: [event({})] }, 400, "historical"],
  ["a wrong sentAt", { sentAt: "now", events: [event({})] }, 422, "sentAt"],
  ["only bad rows", { events: [{}, {}] }, 422, "type"],
])("a batch of %s is refused and nothing of it taken", async (_, body, status, field) => {
  const accepted = await readMeter(server, "cdp_events_accepted");
  const answer = await api.post(batchRoute, body);
  expect([answer.status, fieldsOf(answer)[0]]).toEqual([status, field]);
  expect(await readMeter(server, "cdp_events_accepted")).toBe(accepted);
});

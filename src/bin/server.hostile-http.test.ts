import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type EventRow, type ProfileRow, readMeter, untilProcessed } from "../testing/server-client.ts";
import { adminKey, createServerProcess, type ServerProcess } from "../testing/server-process.ts";

let server: ServerProcess;
let api: Client;
let writeKey: string;
beforeAll(async () => {
  server = await createServerProcess({ EVENT_PROCESSOR_WINDOW_SIZE: "1ms" });
  await server.start();
  api = createClient(server.url);
  writeKey = (await api.post<{ data: { writeKey: string } }>("/api/cdp/sources", { name: "web" })).body.data.writeKey;
});
afterAll(() => server.remove());

let bystanders = 0;

/** Whatever was sent: nothing failed on the server's side, nothing was dead-lettered, and others are served as before. */
afterEach(async () => {
  const userId = `bystander-${++bystanders}`;
  expect((await api.post("/api/cdp/events", { type: "Viewed", userId })).status).toBe(202);
  await untilProcessed(server);
  expect((await api.lookup("external_id", userId))?.totalEvents).toBe(1);
  expect(await readMeter(server, "cdp_events_dead_lettered")).toBe(0);
  expect(server.output()).not.toMatch(/"level":(50|60)/);
});

/** Sends bytes as they are over a connection of its own; resolves with all that came back until the server closed it. */
async function sendRaw(...parts: (string | Uint8Array)[]): Promise<string> {
  const socket = connect(server.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString()));
  // A server that closes early may reset what it has not read.
  socket.on("error", () => undefined);
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once("close", resolve));
  return answer;
}
/** The status of the first answer, 0 when there was none. */
const statusIn = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

const event = JSON.stringify({ type: "Viewed", userId: "raw" });
const requestOf = (headers: string[], body = event, path = "/api/cdp/events"): string =>
  [`POST ${path} HTTP/1.1`, "Host: h", "Connection: close", ...headers, ...(headers.some((line) => /^(content-length|transfer-encoding):/i.test(line)) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]), "", body].join("\r\n");
const key = `Authorization: Bearer ${adminKey}`;
const json = "Content-Type: application/json";

test("a request by hand is taken: the others here fail for what is wrong with them", async () => {
  expect(statusIn(await sendRaw(requestOf([key, json])))).toBe(202);
});

test.each<[string, string | Uint8Array, number]>([
  ["bytes that are no HTTP", Buffer.from([0, 1, 2, 0xff, 0xfe, 10, 10]), 400],
  ["a TLS greeting", Buffer.from("16030100c8010000c40303", "hex"), 400],
  ["a version that never was", requestOf([key, json]).replace("HTTP/1.1", "HTTP/7.3"), 400],
  ["a header without a name", requestOf([key, json, ": x"]), 400],
  ["a NUL in a header", requestOf([key, json, "X-A: a\0b"]), 400],
  ["a header that goes on in the next line", requestOf([key, json, "X-A: a", " b"]), 400],
  ["both lengths at once", requestOf([key, json, "Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"), 400],
  ["two lengths", requestOf([key, json, `Content-Length: ${event.length}`, "Content-Length: 5"]), 400],
  ["a negative length", requestOf([key, json, "Content-Length: -1"]), 400],
  ["a length beyond any", requestOf([key, json, "Content-Length: 999999999999999999999999"]), 400],
  ["a chunk that is none", requestOf([key, json, "Transfer-Encoding: chunked"], "zz\r\nabc\r\n0\r\n\r\n"), 400],
  ["a body shorter than it says", requestOf([key, json, `Content-Length: ${event.length - 5}`]), 400],
  ["a header of 64 KB", requestOf([key, json, `X-Bomb: ${"x".repeat(65_536)}`]), 431],
  ["10,000 headers", requestOf([key, json, ...Array.from({ length: 10_000 }, (_, i) => `X-${i}: x`)]), 431],
  ["a path of 64 KB", requestOf([key, json], event, `/api/cdp/events/${"x".repeat(65_536)}`), 431],
  ["a key of 10 KB", requestOf([`Authorization: Bearer ${"x".repeat(10_000)}`, json]), 401],
  ["a method nobody knows", requestOf([key, json]).replace("POST", "BREW"), 400],
  ["a length of 1 GB", requestOf([key, json, "Content-Length: 1000000000"]), 413],
])("a broken request is refused and its connection closed: %s", async (_, bytes, status) => {
  const accepted = await readMeter(server, "cdp_events_accepted");
  // A server that closes before it has read everything resets the connection, which may cost its answer.
  expect(status === 413 || status === 431 ? [status, 0] : [status]).toContain(statusIn(await sendRaw(bytes)));
  expect(await readMeter(server, "cdp_events_accepted")).toBe(accepted);
});

test("a request hidden in another's body is not carried out", async () => {
  const hidden = requestOf([key, json], JSON.stringify({ type: "Viewed", userId: "smuggled" }));
  await sendRaw(requestOf([key, json, "Transfer-Encoding : chunked", `Content-Length: ${hidden.length}`], hidden));
  await sendRaw(requestOf(["Authorization: Bearer wrong", json], hidden));
  await untilProcessed(server);
  expect(await api.lookup("external_id", "smuggled")).toBeUndefined();
});

test("a sender that goes away in the middle of a body leaves nothing", async () => {
  const accepted = await readMeter(server, "cdp_events_accepted");
  for (const length of [0, 1, event.length - 1]) {
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(requestOf([key, json, `Content-Length: ${event.length}`], event.slice(0, length)), () => socket.resetAndDestroy());
    await new Promise((resolve) => socket.once("close", resolve));
  }
  expect(await readMeter(server, "cdp_events_accepted")).toBe(accepted);
});

test.each<[string, string[], number]>([
  ["none", [], 401],
  ["an empty one", ["Authorization: "], 401],
  ["a scheme alone", ["Authorization: Bearer"], 401],
  ["two values", [`Authorization: Bearer ${adminKey} ${adminKey}`], 401],
  ["a wrong one before the right one", ["Authorization: Bearer wrong", key], 401],
  ["two right ones", [key, key], 202],
  ["a list of write keys", ["X-Write-Key: wrong", "X-Write-Key: WRITE"], 401],
  ["a wrong bearer beside a right write key", ["Authorization: Bearer wrong", "X-Write-Key: WRITE"], 401],
  ["a write key", ["X-Write-Key: WRITE"], 202],
  ["an API key as write key", [`X-Write-Key: ${adminKey}`], 401],
  ["an injection", ["Authorization: Bearer ' or 1=1 --", "X-Write-Key: ' or 1=1 --"], 401],
  ["__proto__", ["Authorization: Bearer __proto__"], 401],
  ["bytes beyond ASCII", ["Authorization: Bearer \u00ff\u00fe"], 401],
  ["Basic of bytes that are no text", ["Authorization: Basic /v8A/w=="], 401],
])("a key, told in an odd way: %s", async (_, headers, status) => {
  expect(statusIn(await sendRaw(requestOf([...headers.map((line) => line.replace("WRITE", writeKey)), json])))).toBe(status);
});

test.each<[string, string | undefined, string | Uint8Array, number]>([
  ["text/csv", "text/csv", event, 415],
  ["a form", "application/x-www-form-urlencoded", "type=Viewed&userId=u", 415],
  ["a multipart form", "multipart/form-data; boundary=x", "--x--", 415],
  ["XML", "application/xml", "<a/>", 415],
  ["bytes", "application/octet-stream", event, 415],
  ["two types at once", "text/csv, application/json", event, 415],
  ["a type that is none", ";;;", event, 415],
  ["a type of 8 KB", `application/json; x="${"y".repeat(8000)}"`, event, 202],
  ["JSON called text", "text/plain;charset=UTF-8", event, 202],
  ["JSON of a vendor", "application/vnd.api+json", event, 202],
  ["no type", undefined, event, 202],
])("a content type: %s", async (_, type, body, status) => {
  const headers = [key, ...(type === undefined ? [] : [`Content-Type: ${type}`])];
  expect(statusIn(await sendRaw(requestOf(headers, body as string)))).toBe(status);
});

test("a compressed body is not taken for JSON", async () => {
  const bytes = gzipSync(event);
  const head = requestOf([key, json, "Content-Encoding: gzip", `Content-Length: ${bytes.length}`], "");
  expect([400, 415]).toContain(statusIn(await sendRaw(head, bytes)));
});

test.each<[string, string, number, number]>([
  ["empty", "", 422, 422], ["256 characters", "k".repeat(256), 422, 422], ["255 characters", "k".repeat(255), 202, 422], ["odd characters", "'; drop table events; --\\", 202, 202],
])("an Idempotency-Key of %s", async (_, idempotencyKey, alone, batch) => {
  const headers = { "idempotency-key": idempotencyKey };
  const one = { type: "Viewed", userId: "idempotent" };
  const answers = [await api.post("/api/cdp/events", one, headers), await api.post("/api/cdp/events", one, headers), await api.post("/api/cdp/events/batch", { events: [one] }, headers)];
  expect(answers.map((answer) => answer.status)).toEqual([alone, alone, batch]);
  if (alone !== 202) return;
  await untilProcessed(server);
  const rows = (await api.list<EventRow>("/api/cdp/events?type=Viewed")).filter((row) => row.eventId.startsWith(idempotencyKey));
  expect(rows.map((row) => row.eventId).sort()).toEqual(batch === 202 ? [idempotencyKey, `${idempotencyKey}:0`] : [idempotencyKey]);
});

/** As a cursor is made, of anything. */
const cursorOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const zeros = "0".repeat(32);

test.each<[string, string]>([
  ["no base64", "%%%"], ["nothing", ""], ["no list", cursorOf({})], ["too few values", cursorOf([1])], ["text for a number", cursorOf(["abc", zeros])],
  ["a number as text", cursorOf(["1e400", zeros])], ["an injection", cursorOf(["0) or 1=1 --", zeros])], ["no key", cursorOf([1, "' or 1=1 --"])], ["null", cursorOf([null, zeros])],
])("a made-up cursor is 422 and names cursor: %s", async (_, cursor) => {
  for (const path of ["/api/cdp/events", "/api/cdp/quarantine", "/api/cdp/keys", "/api/cdp/sources", "/api/cdp/tenants"]) {
    const { status, body } = await api.get<{ error: { details?: { field: string }[] } }>(`${path}?cursor=${encodeURIComponent(cursor)}`);
    const isPlaceThere = cursor === cursorOf([1]) && !/events|quarantine/.test(path);
    expect([path, status, body.error?.details?.[0]?.field]).toEqual(isPlaceThere ? [path, 200, undefined] : [path, 422, "cursor"]);
  }
});

test("odd queries are refused by name or find nothing, and never fail", async () => {
  const odd = ["", "\0", "'", "\\", "\\'", "\n", "{tenantId:UInt32}", "%", "\u{1F600}", "x".repeat(3000), "../../etc/passwd", "9".repeat(400), "-1", "1e999", "null", "[object Object]"];
  const routes = [
    "/api/cdp/events?type=", "/api/cdp/events?source=", "/api/cdp/events?startDate=", "/api/cdp/events?endDate=", "/api/cdp/events?profileId=", "/api/cdp/events?limit=", "/api/cdp/events/",
    "/api/cdp/events/x?sourceId=", "/api/cdp/profiles/", "/api/cdp/profiles/lookup?type=email&value=", "/api/cdp/profiles/lookup?value=x&type=", "/api/cdp/quarantine?state=",
    "/api/cdp/quarantine?sourceId=", "/api/cdp/quarantine?from=", "/api/cdp/quarantine?to=", "/api/cdp/keys?limit=", "/docs/", "/openapi.json?",
  ];
  for (const route of routes) {
    for (const value of odd) expect([200, 302, 400, 404, 414, 422, 431], `${route}${value.slice(0, 30)}`).toContain((await api.get(route + encodeURIComponent(value))).status);
  }
  for (const raw of ["%00", "%FF", "%ED%A0%80", "%zz", "%"]) expect([400, 404]).toContain(statusIn(await sendRaw(requestOf([key, json]).replace("/api/cdp/events ", `/api/cdp/profiles/${raw} `).replace("POST", "GET"))));
  for (const times of ["0000-01-01", "9999-12-31", "9999-12-31T23:59:59.999Z"]) {
    for (const name of ["startDate", "endDate"]) expect((await api.get(`/api/cdp/events?${name}=${times}`)).status).toBe(200);
  }
});

/** Of everything that some language between here and the disk gives a meaning to. No blanks at the ends: those are trimmed. */
const meanings = [
  "'; drop table profile_hot; --", "\" or \"1\"=\"1", "\\'; drop table events; --", "{tenantid:uint32}", "$1", "%s%n%d", "\\n", "\\x00", "`id`", "$(id)", ["$", "{7*7}"].join(""), "{{7*7}}",
  "<script>alert(1)</script>", "/*", "a\tb\nc\r\nd\be", "null,true", "[1]", "{\"a\":1}", "a,b;c|d", "ünï©ødé", "日本語", "👩‍👩‍👧‍👦🛒", "\u202eright to left", "z\u0335a\u030algo", "a\u2028b\u2029c", "a\ufeffb", "\ufffd", "__init__", "../..",
];

test("text of every meaning comes back verbatim from every field, and finds what it was sent with", async () => {
  const ts = new Date().toISOString();
  const sent = meanings.map((text, i) => ({
    type: text, eventId: `${text}${i}`, userId: text, email: `${text}@example.com`, deviceId: text, anonymousId: text, sessionId: text, source: text, timestamp: ts,
    traits: { [text]: text, customFields: { [text]: text } }, properties: { [text]: [text, { [text]: text }], orderId: text, currency: text }, context: { page: { [text]: text }, ip: text },
  }));
  expect((await api.post("/api/cdp/events/batch", { events: sent })).body).toMatchObject({ data: { accepted: sent.length } });
  await untilProcessed(server);
  for (const { eventId, traits, ...one } of sent) {
    const { event: found } = await api.read<{ event: EventRow & { identifiers: object[] } }>(`/api/cdp/events/${encodeURIComponent(eventId)}`);
    const email = one.email.trim().toLowerCase();
    expect(found).toMatchObject({
      eventId, type: one.type, sessionId: one.sessionId, deviceId: one.deviceId, source: one.source, properties: one.properties, context: { ...one.context, source: one.source },
      traits: { [one.type]: one.type, [`customFields.${one.type}`]: one.type, email },
    });
    for (const [type, value] of [["external_id", one.userId], ["email", one.email], ["device_id", one.deviceId], ["anonymous_id", one.anonymousId]] as const) {
      const profile = (await api.lookup(type, value)) as ProfileRow;
      expect([type, value, profile?.totalEvents, profile?.attributes]).toEqual([type, value, 1, { tags: [], [one.type]: one.type, customFields: traits.customFields, email }]);
    }
    for (const query of [{ type: one.type }, { source: one.source }]) {
      expect((await api.list<EventRow>(`/api/cdp/events?${new URLSearchParams(query as Record<string, string>).toString()}`)).map((row) => row.eventId)).toEqual([eventId]);
    }
  }
});

test("held events with ids of every meaning are listed verbatim and replayed by them, one by one and together", async () => {
  const ts = new Date(Date.now() - 600_000).toISOString();
  const eventIds = meanings.map((text) => `held ${text}`);
  for (const eventId of eventIds) expect((await api.post("/cdp/ingest", { eventId, ts, payload: { type: "TRACK", name: eventId, userId: "held" } })).status).toBe(202);
  await untilProcessed(server);
  const held = async (): Promise<string[]> => (await api.list<{ eventId: string }>("/api/cdp/quarantine", 7)).map((row) => row.eventId);
  expect((await held()).sort()).toEqual([...eventIds].sort());
  for (const eventId of eventIds.slice(0, 10)) {
    expect((await api.post("/api/cdp/quarantine/replay", { eventIds: [eventId] })).body).toMatchObject({ data: { replayed: 1 } });
  }
  expect((await api.post("/api/cdp/quarantine/replay", { eventIds })).body).toMatchObject({ data: { replayed: eventIds.length - 10 } });
  await untilProcessed(server);
  expect([await held(), (await api.lookup("external_id", "held"))?.totalEvents]).toEqual([[], eventIds.length]);
});

import Fastify, { type InjectOptions } from "fastify";
import { expect, test } from "vitest";
import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Directory, Principal, Source, Tenant } from "../contracts/directory.ts";
import type { MeterName } from "../contracts/meters.ts";
import { ApiError } from "../core/errors.ts";
import { decodeEvent } from "../core/log-record.ts";
import { createPublicIds } from "../core/public-id.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import { createMemoryLog } from "../testing/memory-log.ts";
import { createIngest, registerBodyParsers } from "./index.ts";

const now = Date.parse("2026-02-15T10:30:05Z");
const publicIds = createPublicIds(new Uint8Array(32));
const apiKey: Principal = { tenantId: 1, kind: "api-key", admin: false };
const writeKey: Principal = { tenantId: 1, kind: "write-key", admin: false, sourceId: 9 };

function sourceOf(sourceId: number, name: string): Source {
  return { tenantId: 1, sourceId, publicId: `source-${name}`, name, latePolicy: name === "stream" ? "quarantine" : "apply", builtIn: sourceId < 4, createdAt: 0 };
}

function createDirectory(ready: boolean): Directory {
  const tenant: Tenant = { tenantId: 1, publicId: "tenant-x", name: "default", createdAt: 0, settings: defaultTenantSettings };
  const sources = [sourceOf(1, "stream"), sourceOf(2, "api"), sourceOf(3, "import"), sourceOf(9, "shop")];
  return {
    ready: () => ready,
    authenticate: () => undefined,
    tenant: (tenantId) => (tenantId === 1 ? tenant : undefined),
    source: (_tenantId, sourceId) => sources.find((source) => source.sourceId === sourceId),
    builtInSource: (_tenantId, name) => sources.find((source) => source.name === name),
    sources: () => sources,
  };
}

function setUp({ principal = apiKey, ready = true, full = false }: { principal?: Principal; ready?: boolean; full?: boolean } = {}) {
  const log = createMemoryLog();
  const counts = new Map<MeterName, number>();
  const ingest = createIngest({
    log,
    directory: createDirectory(ready),
    clock: { now: () => now },
    publicIds,
    meters: { add: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by), gauge: () => {} },
    limits: { maxEventBytes: 128 * 1024, maxBatchSize: 1000, maxDepth: 32 },
    windowMs: 5_000,
    graceMs: 120_000,
    backlog: () => (full ? { reason: "the log is 10 GB long", retryAfterS: 30 } : undefined),
  });
  const app = Fastify({ bodyLimit: 5 * 1024 * 1024 });
  registerBodyParsers(app);
  app.addHook("onRequest", async (request) => void (request.principal = principal));
  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof ApiError)) return reply.code(500).send({ crash: String(error) });
    const { code, message, details, retryAfterS } = error;
    if (retryAfterS !== undefined) reply.header("retry-after", retryAfterS);
    const envelope = { success: false, error: { code, message, ...(details && { details }) } };
    return reply.code(error.status).send(request.routeOptions.config.errors === "stream" ? { status: "error", message } : envelope);
  });
  ingest.routes(app);

  async function post(url: string, body: unknown, headers: InjectOptions["headers"] = {}) {
    const payload = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await app.inject({ method: "POST", url, payload, headers: { "content-type": "application/json", ...headers } });
    return { status: answer.statusCode, body: answer.json<{ data: { results: { status: string; error: object }[] } & Record<string, unknown>; error: { code: string; details: object[] } }>(), headers: answer.headers };
  }
  const events = async (): Promise<CanonicalEvent[]> => (await log.read(0, 0, 10_000, Infinity)).map(({ bytes }) => decodeEvent(bytes));
  return { log, counts, ingest, post, events };
}

const stream = "/cdp/ingest";
const one = "/api/cdp/events";
const many = "/api/cdp/events/batch";
const ts = "2026-02-15T10:30:00Z";

test.each([
  ["IDENTIFY", { eventId: "e", ts, payload: { type: "IDENTIFY", userId: "u", traits: { plan: "pro" } } }, { status: "accepted", eventId: "e" }],
  ["ALIAS of one", { eventId: "e", ts, payload: { type: "ALIAS", userId: "u" } }, { status: "accepted", eventId: "e", warnings: ["alias_single_identifier"] }],
  ["a future time", { eventId: "e", ts: "2026-02-15T10:36:00Z", payload: { type: "ALIAS", userId: "u", anonymousId: "a" } }, { status: "accepted", eventId: "e", warnings: ["future_timestamp"] }],
  ["a late one", { eventId: "e", ts: "2025-10-04T10:30:00Z", payload: { type: "IDENTIFY", userId: "u" } }, { status: "accepted", eventId: "e", late: true, disposition: "quarantined" }],
])("/cdp/ingest accepts %s", async (_case, body, answer) => {
  expect(await setUp().post(stream, body)).toMatchObject({ status: 202, body: answer });
});

test.each([
  ["TRACK without name", { eventId: "e", ts, payload: { type: "TRACK", userId: "u" } }, "TRACK events require a name"],
  ["an empty eventId", { eventId: "", ts, payload: { type: "IDENTIFY", userId: "u" } }, "eventId must not be empty"],
  ["no eventId", { ts, payload: { type: "IDENTIFY", userId: "u" } }, "eventId is required"],
  ["nobody", { eventId: "e", ts, payload: { type: "IDENTIFY", traits: { a: 1 } } }, "At least one of userId, email, anonymousId is required"],
  ["a bad time", { eventId: "e", ts: "yesterday", payload: { type: "IDENTIFY", userId: "u" } }, "ts must be an ISO-8601 time such as 2026-02-15T10:30:00.000Z"],
  ["an unknown type", { eventId: "e", ts, payload: { type: "PAGE", userId: "u" } }, "payload.type must be one of IDENTIFY, TRACK, ALIAS"],
  ["a batch", [{ eventId: "e" }], "event must be an object"],
  ["no JSON", "{", "the body is not valid JSON"],
])("/cdp/ingest refuses %s", async (_case, body, message) => {
  const { post, events } = setUp();
  const answer = await post(stream, body);
  expect(answer).toMatchObject({ status: 400, body: { status: "error", message: expect.stringContaining(message) } });
  expect(await events()).toEqual([]);
});

test("/api/cdp/events answers the id and appends the event", async () => {
  const { post, events } = setUp();
  const answer = await post(one, { type: "purchase", userId: "u", eventId: "e", properties: { amount: 1 } });
  expect(answer).toMatchObject({ status: 202, body: { success: true, data: { eventId: "e", status: "accepted" } } });
  expect(await events()).toMatchObject([{ eventId: "e", tenantId: 1, sourceId: 2, name: "purchase", ts: now, serverTs: true }]);
});

test.each([
  ["a wrong JSON type", { type: 5, userId: "u" }, 400, "invalid_type", "type"],
  ["AURA's printed time, before the profile is looked up", { profileId: "profile-abc123", type: "purchase", timestamp: "2026-02-15T101:30:00.000Z" }, 422, "validation_failed", "timestamp"],
  ["an unknown profile", { profileId: "profile-abc123", type: "purchase", timestamp: ts }, 404, "profile_not_found", "profileId"],
  ["more than an event may have", { type: "t", userId: "u", properties: { a: "x".repeat(128 * 1024) } }, 413, "body_too_large", "event"],
  ["a list", [], 400, "invalid_type", "event"],
  ["null", "null", 400, "invalid_type", "event"],
])("/api/cdp/events refuses %s", async (_case, body, status, code, field) => {
  const answer = await setUp().post(one, body);
  expect(answer).toMatchObject({ status, body: { success: false, error: { code } } });
  expect(answer.body.error.details[0]).toMatchObject({ field });
});

test("a late event that is applied says so", async () => {
  expect((await setUp().post(one, { type: "t", userId: "u", eventId: "e", timestamp: "2025-01-01" })).body.data).toEqual({ eventId: "e", status: "accepted", late: true });
});

test("a batch answers per row, and the good rows are appended at once", async () => {
  const { post, events, counts } = setUp();
  const { status, body } = await post(many, {
    events: [
      { type: "a", userId: "u", eventId: "1" },
      { type: "b", eventId: "2" },
      { event_name: "c", idempotency_key: "3", identifiers: [{ type: "email", value: "a@b.c" }] },
      "row",
      { type: "d", profileId: "profile-abc123" },
    ],
  });
  expect(status).toBe(202);
  expect(body).toMatchObject({ success: true, data: { accepted: 2, rejected: 3 } });
  expect(body.data.results).toMatchObject([
    { index: 0, eventId: "1", status: "accepted" },
    { index: 1, eventId: "2", status: "rejected", error: { code: "validation_failed", details: [{ field: "profileId", reason: "required" }] } },
    { index: 2, eventId: "3", status: "accepted" },
    { index: 3, eventId: null, status: "rejected", error: { code: "invalid_type" } },
    { index: 4, eventId: null, status: "rejected", error: { code: "profile_not_found" } },
  ]);
  expect((await events()).map(({ eventId }) => eventId)).toEqual(["1", "3"]);
  expect(Object.fromEntries(counts)).toEqual({ cdp_events_accepted: 2, cdp_events_rejected: 3 });
});

test("one row that is too large costs itself only", async () => {
  const { status, body } = await setUp().post(many, { events: [{ type: "a", userId: "u" }, { type: "b", userId: "u", properties: { a: "x".repeat(128 * 1024) } }] });
  expect(status).toBe(202);
  expect(body.data.results[1]).toMatchObject({ status: "rejected", error: { code: "body_too_large" } });
});

test.each([
  ["polluting keys", '{"type":"a","userId":"u","properties":{"__proto__":{"polluted":true}}}', "properties.__proto__"],
  ["10,000 levels", `{"type":"a","userId":"u","properties":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`, "properties.a.a"],
  ["a number beyond every number", '{"type":"a","userId":"u","properties":{"n":1e999}}', "properties.n"],
  ["NUL in an identifier", '{"type":"a","userId":"a\\u0000b"}', "userId"],
  ["half a character in the id", '{"type":"a","userId":"u","eventId":"\\ud800"}', "eventId"],
  ["10,000 traits", JSON.stringify({ type: "identify", userId: "u", traits: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`t${i}`, i])) }), "traits"],
])("%s cost their row only", async (_case, hostile, field) => {
  const { post, events } = setUp();
  const answer = await post(many, `{"events":[{"type":"before","userId":"u"},${hostile},{"type":"after","userId":"u"}]}`);
  expect(answer).toMatchObject({ status: 202, body: { data: { accepted: 2, results: [{}, { error: { details: [{ field: expect.stringContaining(field) }] } }, {}] } } });
  expect((await events()).map(({ name }) => name)).toEqual(["before", "after"]);
  expect("polluted" in {}).toBe(false);
});

test("a batch without a good row is 422 and appends nothing", async () => {
  const { post, events } = setUp();
  expect(await post(many, { events: [{ type: "a" }] })).toMatchObject({ status: 422, body: { success: false, data: { accepted: 0, rejected: 1 } } });
  expect(await events()).toEqual([]);
});

test.each([
  ["empty", { events: [] }, 422, "validation_failed", "events"],
  ["missing", {}, 422, "validation_failed", "events"],
  ["no list", { events: {} }, 400, "invalid_type", "events"],
  ["historical is no boolean", { events: [{}], historical: "yes" }, 400, "invalid_type", "historical"],
  ["sentAt is no time", { events: [{}], sentAt: "now" }, 422, "validation_failed", "sentAt"],
])("a batch is refused when %s", async (_case, body, status, code, field) => {
  expect(await setUp().post(many, body)).toMatchObject({ status, body: { error: { code, details: [{ field }] } } });
});

test("1001 rows are refused and none is taken", async () => {
  const { post, events } = setUp();
  const answer = await post(many, { events: Array.from({ length: 1001 }, (_, i) => ({ type: "a", userId: `u${i}` })) });
  expect(answer).toMatchObject({ status: 413, body: { error: { code: "batch_too_large" } } });
  expect(await events()).toEqual([]);
});

test("the Idempotency-Key names a single event and the rows of a batch that have no id", async () => {
  const { post, events } = setUp();
  await post(one, { type: "a", userId: "u" }, { "idempotency-key": "k" });
  await post(many, { events: [{ type: "a", userId: "u" }, { type: "a", userId: "u", eventId: "own" }, { type: "a", userId: "u" }] }, { "idempotency-key": "k" });
  expect((await events()).map(({ eventId }) => eventId)).toEqual(["k", "k:0", "own", "k:2"]);
});

test("an Idempotency-Key that is too long is refused", async () => {
  expect(await setUp().post(one, { type: "a", userId: "u" }, { "idempotency-key": "k".repeat(256) })).toMatchObject({ status: 422 });
});

test("an API key writes to the built-in sources, a write key always to its own", async () => {
  const ofApi = setUp();
  await ofApi.post(stream, { eventId: "1", payload: { type: "IDENTIFY", userId: "u" } });
  await ofApi.post(one, { type: "a", userId: "u" });
  await ofApi.post(many, { historical: true, events: [{ type: "a", userId: "u", timestamp: "2020-01-01" }] });
  expect((await ofApi.events()).map(({ sourceId, late, historical }) => [sourceId, late, historical])).toEqual([[1, false, undefined], [2, false, undefined], [3, false, true]]);
  const ofWrite = setUp({ principal: writeKey });
  await ofWrite.post(stream, { eventId: "1", payload: { type: "IDENTIFY", userId: "u" } });
  await ofWrite.post(one, { type: "a", userId: "u" });
  expect((await ofWrite.events()).map(({ sourceId }) => sourceId)).toEqual([9, 9]);
});

test("a write key sends no history", async () => {
  expect(await setUp({ principal: writeKey }).post(many, { historical: true, events: [{ type: "a", userId: "u" }] })).toMatchObject({ status: 403 });
});

test("late and held events are counted", async () => {
  const { post, counts } = setUp();
  await post(stream, { eventId: "1", ts: "2026-02-15T10:29:50Z", payload: { type: "IDENTIFY", userId: "u" } });
  await post(stream, { eventId: "2", ts: "2026-02-15T10:20:00Z", payload: { type: "IDENTIFY", userId: "u" } });
  expect(Object.fromEntries(counts)).toEqual({ cdp_events_accepted: 2, cdp_events_late: 2, cdp_events_dropped: 1 });
});

test.each<[string, Parameters<typeof setUp>[0], string, string | undefined]>([
  ["before the first tenant is known", { ready: false }, "starting", "1"],
  ["with a full backlog", { full: true }, "backlog_full", "30"],
])("503 %s", async (_case, circumstances, code, retryAfter) => {
  const answer = await setUp(circumstances).post(one, { type: "a", userId: "u" });
  expect(answer).toMatchObject({ status: 503, body: { error: { code } }, headers: { "retry-after": retryAfter } });
});

test("503 when the log does not take the events, and none is counted as accepted", async () => {
  const { post, log, counts } = setUp();
  await log.close();
  expect(await post(one, { type: "a", userId: "u" })).toMatchObject({ status: 503, body: { error: { code: "log_unavailable" } }, headers: { "retry-after": "5" } });
  expect(Object.fromEntries(counts)).toEqual({});
});

test("accept appends canonical events as they are", async () => {
  const { ingest, events, post } = setUp();
  await post(stream, { eventId: "1", ts: "2025-01-01T00:00:00Z", payload: { type: "IDENTIFY", userId: "u" } });
  const { held: _held, ...released } = (await events())[0] as CanonicalEvent;
  await ingest.accept([{ ...released, replay: true }]);
  expect((await events())[1]).toEqual({ ...released, replay: true });
});

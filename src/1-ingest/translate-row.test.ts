import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LatePolicy } from "../contracts/directory.ts";
import type { Surface } from "../contracts/surface.ts";
import { eventKey } from "../core/event-key.ts";
import { decodeEvent, decodeHead, encodeRecord } from "../core/log-record.ts";
import { createPublicIds } from "../core/public-id.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import aura from "./surfaces/aura.ts";
import stratum from "./surfaces/stratum.ts";
import stream from "./surfaces/stream.ts";
import { createTranslateRow, type RowResult } from "./translate-row.ts";

const surfaces: Surface[] = [stream, aura, stratum];
const receivedAt = Date.parse("2026-02-15T10:30:05Z");
const publicIds = createPublicIds(new Uint8Array(32));
const translateRow = createTranslateRow({ publicIds, depthMax: 32, lateness: { windowMs: 5_000, graceMs: 120_000 } });

function translate(surface: Surface, row: unknown, more: { historical?: boolean; latePolicy?: LatePolicy } = {}): RowResult {
  const source = { tenantId: 1, sourceId: 2, publicId: "source-x", name: "api", latePolicy: more.latePolicy ?? "apply", builtIn: true, createdAt: 0 };
  const tenant = { tenantId: 1, publicId: "tenant-x", name: "default", createdAt: 0, settings: defaultTenantSettings };
  return translateRow(surface, row, { tenant, source, receivedAt, historical: more.historical ?? false }, () => "made-up");
}

function problems(surface: Surface, row: unknown): string[] {
  const result = translate(surface, row);
  return result.status === "accepted" ? [] : result.errors.map(({ field, reason }) => `${field} ${reason}`);
}

test("every surface has a file of its name and every file is a surface", () => {
  const files = readdirSync(new URL("./surfaces/", import.meta.url)).filter((file) => !file.endsWith(".test.ts"));
  expect(files.toSorted()).toEqual(surfaces.map(({ name }) => `${name}.ts`).toSorted());
});

describe.each(surfaces)("surface $name", (surface) => {
  test.each(surface.examples)("example: $title", ({ row, event }) => {
    expect(translate(surface, row)).toMatchObject({ status: "accepted", event });
  });

  test("any JSON is translated or told what is wrong with it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (row) => {
        const draft = surface.translate(row);
        return Array.isArray(draft) ? draft.length > 0 && translate(surface, row).status === "rejected" : draft.kind !== undefined;
      }),
      { numRuns: 300 },
    );
  });

  test("an accepted row comes out of the log as it went in", () => {
    const odd = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: "binary" }), fc.constantFrom("", " ", "null", "\0", "\ud800", 0, -1, 1e300, null));
    const example = surface.examples[0]?.row ?? {};
    const names = ["userId", "email", "phone", "traits", "properties", "context", "sessionId", "session_id", "source", "name", "timestamp", "identifiers", "customFields", "eventId"];
    const row = fc.record({ change: fc.dictionary(fc.constantFrom(...names), odd), traits: fc.dictionary(fc.string(), odd) }).map(({ change, traits }) =>
      surface === stream ? { ...example, payload: { ...(example["payload"] as object), traits, ...change } } : { ...example, traits, ...change },
    );
    let accepted = 0;
    fc.assert(
      fc.property(row, (sent) => {
        const result = translate(surface, JSON.parse(JSON.stringify(sent)));
        if (result.status === "rejected") return result.errors.length > 0;
        accepted++;
        const key = eventKey(1, 2, result.event.eventId);
        const record = encodeRecord(result.event, key);
        expect(decodeEvent(record)).toEqual(result.event);
        return decodeHead(record).key === key;
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

const track = { eventId: "e", payload: { type: "TRACK", userId: "u", name: "n" } };
const person = { type: "t", userId: "u" };

test.each<[string, Surface, unknown, string[]]>([
  ["no object", aura, [], ["event wrong_type"]],
  ["no type", aura, { userId: "u" }, ["type required"]],
  ["an empty type", aura, { ...person, type: "" }, ["type empty"]],
  ["a blank type", aura, { ...person, type: "  " }, ["type empty"]],
  ["a type of 256 characters", aura, { ...person, type: "x".repeat(256) }, ["type too_long"]],
  ["NUL in the type", aura, { ...person, type: "a\0" }, ["type invalid_characters"]],
  ["a list for properties", aura, { ...person, properties: [] }, ["properties wrong_type"]],
  ["a number for the time", aura, { ...person, timestamp: 1771151400 }, ["timestamp wrong_type"]],
  ["an empty eventId", aura, { ...person, eventId: "" }, ["eventId empty"]],
  ["a long messageId", aura, { ...person, messageId: "x".repeat(256) }, ["messageId too_long"]],
  ["an object for an identifier", aura, { ...person, userId: {} }, ["userId wrong_type"]],
  ["two faults", aura, { type: "t", timestamp: "soon" }, ["timestamp invalid_time", "profileId required"]],
  ["a polluted row", aura, JSON.parse('{"type":"t","userId":"u","__proto__":{"a":1}}'), ["__proto__ forbidden_key"]],
  ["an identifier without type", stratum, { event_name: "n", identifiers: [{ value: "x" }] }, ["identifiers[0].type required"]],
  ["an identifier of no known type", stratum, { event_name: "n", identifiers: [{ type: "shoe", value: "x" }] }, ["identifiers[0].type unknown_identifier_type"]],
  ["a bad event_time", stratum, { event_name: "n", event_time: "x", identifiers: [{ type: "email", value: "x" }] }, ["event_time invalid_time"]],
  ["no payload", stream, { eventId: "e" }, ["payload required"]],
  ["no eventId", stream, { ...track, eventId: undefined }, ["eventId wrong_type"]],
  ["a blank eventId", stream, { ...track, eventId: " " }, ["eventId empty"]],
  ["an unknown payload type", stream, { eventId: "e", payload: { type: "PAGE", userId: "u" } }, ["payload.type not_allowed"]],
  ["TRACK without name", stream, { eventId: "e", payload: { type: "TRACK", userId: "u" } }, ["payload.name required"]],
  ["nobody", stream, { eventId: "e", payload: { type: "IDENTIFY", traits: { a: 1 } } }, ["payload required"]],
])("%s on %s.name is refused", (_case, surface, row, expected) => {
  expect(problems(surface, row)).toEqual(expected);
});

test.each<[string, object, object]>([
  ["eventId before messageId", { messageId: "m", eventId: "e", idempotency_key: "i" }, { eventId: "e" }],
  ["messageId before idempotency_key", { messageId: "m", idempotency_key: "i" }, { eventId: "m" }],
  ["the request's id for a row without", {}, { eventId: "made-up" }],
  ["null is missing", { eventId: null, timestamp: null, email: null, traits: null }, { eventId: "made-up", ts: receivedAt }],
  ["custom takes its name", { type: "custom", name: "Signed up" }, { kind: "track", name: "Signed up" }],
  ["custom without a name", { type: "custom" }, { kind: "track", name: "custom" }],
  ["page takes its name", { type: "page", name: "Home" }, { kind: "page", name: "Home" }],
  ["screen without a name", { type: "screen" }, { kind: "screen", name: "screen" }],
  ["identify is named so", { type: "identify", name: "x" }, { kind: "identify", name: "identify" }],
  ["other types ignore name", { type: "page_view", name: "x" }, { kind: "track", name: "page_view" }],
  ["source is a name in the context", { source: "web", context: { ip: "::1" } }, { context: { ip: "::1", source: "web" } }],
  ["alias of one identifier", { type: "alias" }, { kind: "alias", warnings: ["alias_single_identifier"] }],
  ["alias of two", { type: "alias", anonymousId: "a" }, { kind: "alias", warnings: [] }],
  ["profileId is the anchor", { profileId: publicIds.encode("profile", 1, 7), deviceId: "d" }, {
    identifiers: [{ entity: "person", kind: "profile", value: "7" }, { entity: "person", kind: "external_id", value: "u" }, { entity: "person", kind: "device_id", value: "d" }],
  }],
])("aura: %s", (_case, more, expected) => {
  expect(translate(aura, { ...person, ...more })).toMatchObject({ status: "accepted", event: expected });
});

test("a profileId of another tenant is unknown", () => {
  expect(problems(aura, { type: "t", profileId: publicIds.encode("profile", 2, 7) })).toEqual(["profileId unknown_profile"]);
});

test("a late event of a quarantining source is held", () => {
  const old = { ...track, ts: "2026-02-15T10:20:00Z" };
  expect(translate(stream, old, { latePolicy: "quarantine" })).toMatchObject({ event: { late: true, held: "late" } });
  expect(translate(stream, old, { latePolicy: "quarantine", historical: true })).toMatchObject({ event: { late: false, historical: true } });
});

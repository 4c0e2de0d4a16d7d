import { expect, test } from "vitest";
import type { JsonObject } from "../../../contracts/json.ts";
import { mapRow } from "./map-row.ts";
import type { Mapping } from "./mapping.ts";

const base: Mapping = { event: "purchase", identifiers: { external_id: "customer" } };
const event = { type: "purchase", identifiers: [{ type: "external_id", value: "7" }] };

type Case = [name: string, mapping: Partial<Mapping>, row: JsonObject, expected: object];

test.each<Case>([
  ["the smallest event", {}, { customer: "7" }, event],
  ["a number as identifier", {}, { customer: 7 }, event],
  ["the event's name from the row", { event: { field: "kind" } }, { customer: "7", kind: "refund" }, { ...event, type: "refund" }],
  ["one id field, taken as it is", { eventId: ["order"] }, { customer: "7", order: "a:1" }, { ...event, eventId: "a:1" }],
  ["two id fields, kept apart", { eventId: ["shop", "order"] }, { customer: "7", shop: "a:b", order: "c" }, { ...event, eventId: "a\\:b:c" }],
  ["a constant in the id", { eventId: [{ value: "refund" }, "order"] }, { customer: "7", order: 12 }, { ...event, eventId: "refund:12" }],
  ["a day is its midnight UTC", { timestamp: "date" }, { customer: "7", date: "1997-01-12" }, { ...event, timestamp: "1997-01-12T00:00:00.000Z" }],
  ["a time with an offset", { timestamp: "date" }, { customer: "7", date: "2026-02-15T10:30:00+02:00" }, { ...event, timestamp: "2026-02-15T08:30:00.000Z" }],
  ["seconds", { timestamp: { field: "at", format: "unix" } }, { customer: "7", at: "1771151400.5" }, { ...event, timestamp: "2026-02-15T10:30:00.500Z" }],
  ["milliseconds", { timestamp: { field: "at", format: "unix_ms" } }, { customer: "7", at: 1_771_151_400_000 }, { ...event, timestamp: "2026-02-15T10:30:00.000Z" }],
  ["a number", { properties: { amount: { field: "v", type: "number" } } }, { customer: "7", v: " 11.77 " }, { ...event, properties: { amount: 11.77 } }],
  ["a number left as text", { properties: { amount: "v" } }, { customer: "7", v: "11.770" }, { ...event, properties: { amount: "11.770" } }],
  ["a boolean", { traits: { vip: { field: "v", type: "boolean" } } }, { customer: "7", v: "Yes" }, { ...event, traits: { vip: true } }],
  ["JSON in a cell", { properties: { items: { field: "v", type: "json" } } }, { customer: "7", v: '[{"sku":1}]' }, { ...event, properties: { items: [{ sku: 1 }] } }],
  ["text of a number", { traits: { zip: { field: "v", type: "string" } } }, { customer: "7", v: 1234 }, { ...event, traits: { zip: "1234" } }],
  ["a constant", { properties: { currency: { value: "USD" } } }, { customer: "7" }, { ...event, properties: { currency: "USD" } }],
  ["a constant null deletes a trait", { traits: { plan: { value: null } } }, { customer: "7" }, { ...event, traits: { plan: null } }],
  ["empty cells and nulls are absent", { properties: { a: "a", b: "b", c: "c" } }, { customer: "7", a: "", b: null }, event],
  ["zero and false are present", { properties: { a: "a", b: "b" } }, { customer: "7", a: 0, b: false }, { ...event, properties: { a: 0, b: false } }],
  ["a nested field", { identifiers: { email: "user.mails.0" } }, { user: { mails: ["a@b.c"] } }, { type: "purchase", identifiers: [{ type: "email", value: "a@b.c" }] }],
  ["a column with a dot before a nested field", { identifiers: { email: "a.b" } }, { "a.b": "x", a: { b: "y" } }, { type: "purchase", identifiers: [{ type: "email", value: "x" }] }],
  ["dots in a name nest", { context: { "page.url": "u", "page.title": "t" } }, { customer: "7", u: "/", t: "Home" }, { ...event, context: { page: { url: "/", title: "Home" } } }],
  ["one identifier of two is enough", { identifiers: { external_id: "customer", email: "mail" } }, { customer: "7", mail: "" }, event],
  ["session and source", { sessionId: "s", source: "shop" }, { customer: "7", s: "s-1" }, { ...event, sessionId: "s-1", source: "shop" }],
  ["nothing from the prototype", { properties: { a: "constructor", b: "toString.name" } }, { customer: "7" }, event],
])("maps %s", (_, mapping, row, expected) => {
  expect(mapRow({ ...base, ...mapping }, row)).toEqual({ event: expected });
});

test.each<Case>([
  ["no identifier", {}, { customer: "" }, { field: "identifiers", reason: "no_identifier" }],
  ["no event name", { event: { field: "kind" } }, { customer: "7" }, { field: "kind", reason: "required" }],
  ["a missing part of the id", { eventId: ["shop", "order"] }, { customer: "7", shop: "a" }, { field: "order", reason: "required" }],
  ["no time", { timestamp: "date" }, { customer: "7", date: "" }, { field: "date", reason: "required" }],
  ["a day that is none", { timestamp: "date" }, { customer: "7", date: "1997-02-30" }, { field: "date", reason: "invalid_time" }],
  ["seconds beyond all time", { timestamp: { field: "at", format: "unix" } }, { customer: "7", at: "1e99" }, { field: "at", reason: "invalid_time" }],
  ["a number with a thousands separator", { properties: { a: { field: "v", type: "number" } } }, { customer: "7", v: "1,234" }, { field: "v", reason: "invalid_number" }],
  ["a boolean that is none", { properties: { a: { field: "v", type: "boolean" } } }, { customer: "7", v: "maybe" }, { field: "v", reason: "invalid_boolean" }],
  ["broken JSON", { properties: { a: { field: "v", type: "json" } } }, { customer: "7", v: "{" }, { field: "v", reason: "invalid_json" }],
  ["an identifier that lost digits", {}, { customer: 12_345_678_901_234_567_890 }, { field: "customer", reason: "unsafe_integer" }],
  ["an object as identifier", {}, { customer: { id: 7 } }, { field: "customer", reason: "invalid_string" }],
])("refuses %s", (_, mapping, row, expected) => {
  expect(mapRow({ ...base, ...mapping }, row)).toEqual({ errors: [{ ...expected, message: expect.any(String) }] });
});

test("names every wrong field of a row", () => {
  const mapping: Mapping = { ...base, timestamp: "date", properties: { amount: { field: "v", type: "number" } } };
  const mapped = mapRow(mapping, { customer: "7", date: "soon", v: "much" });
  expect("errors" in mapped && mapped.errors.map(({ field }) => field)).toEqual(["date", "v"]);
});

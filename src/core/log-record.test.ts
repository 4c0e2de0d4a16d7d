import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import { eventKey } from "./event-key.ts";
import { contentOf, decodeEvent, decodeHead, decodeRecord, encodeRecord } from "./log-record.ts";

const event: CanonicalEvent = {
  tenantId: 7,
  sourceId: 2,
  eventId: "e-1",
  kind: "track",
  name: "purchase",
  ts: 1_771_150_000_123,
  receivedAt: 1_771_150_000_456,
  late: false,
  identifiers: [{ entity: "person", kind: "email", value: "a@example.com" }],
  warnings: [],
};
const key = eventKey(7, 2, "e-1");

describe("the head is read without the event", () => {
  const rows: [what: string, more: Partial<CanonicalEvent>, flags: { immediate: boolean; held: boolean; replay: boolean }][] = [
    ["an ordinary event waits in the window", {}, { immediate: false, held: false, replay: false }],
    ["an import does not", { historical: true }, { immediate: true, held: false, replay: false }],
    ["nor does an event that is held back", { held: "late" }, { immediate: true, held: true, replay: false }],
    ["nor one that was released", { replay: true }, { immediate: true, held: false, replay: true }],
  ];
  test.each(rows)("%s", (_what, more, flags) => {
    expect(decodeHead(encodeRecord({ ...event, ...more }, key))).toEqual({ ...flags, tenantId: 7, ts: event.ts, receivedAt: event.receivedAt, key });
  });
});

test("whatever an event holds comes back", () => {
  const drawn = fc.record({
    tenantId: fc.nat({ max: 2 ** 32 - 1 }),
    ts: fc.integer({ min: -8.64e15, max: 8.64e15 }),
    receivedAt: fc.integer({ min: 0, max: 8.64e15 }),
    eventId: fc.string({ unit: "grapheme" }),
    name: fc.string({ unit: "binary" }),
    properties: fc.dictionary(fc.string(), fc.jsonValue()),
  });
  fc.assert(
    fc.property(drawn, ({ properties, ...fields }) => {
      const sent = { ...event, ...fields, properties: JSON.parse(JSON.stringify(properties)) as NonNullable<CanonicalEvent["properties"]> };
      const record = encodeRecord(sent, key);
      expect(decodeEvent(record)).toEqual(sent);
      expect(decodeHead(record)).toMatchObject({ tenantId: sent.tenantId, ts: sent.ts, receivedAt: sent.receivedAt, key });
    }),
  );
});

test("records made one after the other keep their bytes, whatever their sizes", () => {
  const sizes = fc.array(fc.oneof(fc.nat({ max: 900 }), fc.nat({ max: 40_000 })), { minLength: 2, maxLength: 60 });
  const unit = fc.constantFrom("x", "é", "漢", "\ud83d\ude00", "\ud800");
  fc.assert(
    fc.property(sizes, unit, (lengths, letter) => {
      const sent = lengths.map((length, i) => ({ ...event, eventId: `e-${i}`, ts: i, name: letter.repeat(length) }));
      const records = sent.map((one) => encodeRecord(one, eventKey(7, 2, one.eventId)));
      const alone = (i: number): unknown => JSON.parse(Buffer.from(JSON.stringify(sent[i])).toString());
      expect(records.every((record, i) => JSON.stringify(decodeEvent(record)) === JSON.stringify(decodeEvent(encodeRecord(alone(i) as CanonicalEvent, key))))).toBe(true);
      expect(records.map((record) => decodeHead(record))).toEqual(sent.map((one) => expect.objectContaining({ ts: one.ts, key: eventKey(7, 2, one.eventId) })));
    }),
    { numRuns: 30 },
  );
});

test("a record is read where it lies in a larger buffer", () => {
  const record = encodeRecord(event, key);
  const page = new Uint8Array(record.length + 20);
  page.set(record, 10);
  const slice = page.subarray(10, 10 + record.length);
  expect(decodeHead(slice).key).toBe(key);
  expect(decodeEvent(slice)).toEqual(event);
});

test("a record of another version is refused", () => {
  const record = encodeRecord(event, key);
  record[0] = 9;
  expect(() => decodeHead(record)).toThrow("version 9, expected 2");
});

test("a record of the first version, one JSON text behind the head, is still read", () => {
  const sent = { ...event, properties: { a: "ü\\" }, context: { ip: "203.0.113.9", locale: "de" }, traits: { plan: "pro" } };
  const old = Buffer.concat([encodeRecord(sent, key).subarray(0, 38), Buffer.from(JSON.stringify(sent))]);
  old[0] = 1;
  expect(decodeEvent(old)).toEqual(sent);
  expect(decodeHead(old)).toMatchObject({ tenantId: 7, ts: event.ts, key });
  expect(contentOf(decodeRecord(old).body)).toEqual(contentOf(decodeRecord(encodeRecord(sent, key)).body));
});

test("the content leaves out when and under which id it was sent, and is another when what happened is another", () => {
  const contentWith = (more: Partial<CanonicalEvent>): string => Buffer.from(contentOf(decodeRecord(encodeRecord({ ...event, ...more }, key)).body)).toString();
  expect(contentWith({ ts: 1, receivedAt: 2, eventId: "other", context: { ip: "x" }, sentAt: 3 })).toBe(contentWith({}));
  expect(new Set([{}, { name: "x" }, { properties: { a: 1 } }, { traits: { a: 1 } }].map(contentWith)).size).toBe(4);
});

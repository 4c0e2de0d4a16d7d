import fc from "fast-check";
import { expect, test } from "vitest";
import { createOrderBuffer, type Waiting } from "./order-events.ts";

const waiting = (ts: number, key: string, position: number): Waiting => ({ ts, key, position });

test("the sign-up scenario: A, D, B, C arrive and leave as A, B, C, D", () => {
  const buffer = createOrderBuffer(1e6);
  for (const [ts, key] of [[0, "a"], [15, "d"], [5, "b"], [10, "c"]] as const) buffer.add(waiting(ts, key, ts));
  expect(buffer.release(25, 100).entries.map((entry) => entry.key)).toEqual(["a", "b", "c", "d"]);
});

test("what is newer than the watermark stays", () => {
  const buffer = createOrderBuffer(1e6);
  buffer.add(waiting(11, "new", 1));
  buffer.add(waiting(10, "due", 2));
  expect(buffer.release(10, 100).entries.map((entry) => entry.key)).toEqual(["due"]);
  expect(buffer.size).toBe(1);
});

test("a full buffer lets the oldest go early and counts them", () => {
  const buffer = createOrderBuffer(8 * 170);
  for (let i = 0; i < 8; i++) buffer.add(waiting(100 + i, `k${i}`, i));
  expect(buffer.full).toBe(true);
  const { entries, early } = buffer.release(0, 100);
  expect(entries.map((entry) => entry.ts)).toEqual([100, 101]);
  expect(early).toBe(2);
});

test("of one key the smallest position is the one that waits", () => {
  const buffer = createOrderBuffer(1e6);
  buffer.add(waiting(5, "k", 9));
  buffer.add(waiting(7, "k", 3));
  expect(buffer.positionOf("k")).toBe(3);
});

test("whatever arrives, releases come in (ts, key) order and nothing is lost", () => {
  const entry = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.stringMatching(/^[0-9a-f]{2}$/));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 5 }), (entries, watermarks) => {
      const buffer = createOrderBuffer(1e6);
      entries.forEach(([ts, key], position) => buffer.add(waiting(ts, key, position)));
      const seen: number[] = [];
      for (const watermark of [...watermarks, 100]) {
        const { entries: out } = buffer.release(watermark, 1000);
        const sorted = [...out].sort((a, b) => a.ts - b.ts || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.position - b.position));
        expect(out).toEqual(sorted);
        expect(out.every((one) => one.ts <= watermark)).toBe(true);
        seen.push(...out.map((one) => one.position));
      }
      expect(seen.sort((a, b) => a - b)).toEqual(entries.map((_, position) => position));
    }),
  );
});

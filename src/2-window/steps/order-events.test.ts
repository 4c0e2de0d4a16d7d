import fc from "fast-check";
import { expect, test } from "vitest";
import { keyWord } from "../../core/event-key.ts";
import { createOrderBuffer, type OrderBuffer, waitingBytes } from "./order-events.ts";

interface Waiting {
  ts: number;
  key: string;
  position: number;
}

const add = (buffer: OrderBuffer, { ts, key, position }: Waiting): void =>
  buffer.add(ts, position, keyWord(key, 0), keyWord(key, 1), keyWord(key, 2), keyWord(key, 3));
const mix = (n: number): number => Math.imul(n, 0x9e3779b1) >>> 0;
const aKey = (digits: string): string => digits.padEnd(32, "0");

test("the sign-up scenario: A, D, B, C arrive and leave as A, B, C, D", () => {
  const buffer = createOrderBuffer(1e6);
  for (const [ts, key] of [[0, "a"], [15, "d"], [5, "b"], [10, "c"]] as const) add(buffer, { ts, key: aKey(key), position: ts });
  expect(buffer.release(25, 100).positions).toEqual([0, 5, 10, 15]);
});

test("what is newer than the watermark stays", () => {
  const buffer = createOrderBuffer(1e6);
  add(buffer, { ts: 11, key: aKey("a"), position: 1 });
  add(buffer, { ts: 10, key: aKey("b"), position: 2 });
  expect(buffer.release(10, 100).positions).toEqual([2]);
  expect(buffer.size).toBe(1);
});

test("a full buffer lets the oldest go early and counts them", () => {
  const buffer = createOrderBuffer(8 * waitingBytes);
  for (let i = 0; i < 8; i++) add(buffer, { ts: 100 + i, key: aKey(`${i}`), position: i });
  expect(buffer.full).toBe(true);
  expect(buffer.release(0, 100)).toEqual({ positions: [0, 1], early: 2 });
});

test("a buffer that is overfilled keeps everything", () => {
  const buffer = createOrderBuffer(8 * waitingBytes);
  for (let i = 0; i < 10_000; i++) add(buffer, { ts: 100 - (i % 7), key: aKey(mix(i % 5000).toString(16).padStart(8, "0")), position: i });
  expect(buffer.release(100, Infinity).positions).toHaveLength(10_000);
});

/** Keys that begin alike, end alike, wrap around the index, and differ where signed numbers would be in another order. */
const someKeys = ["0", "00000001", "7fffffff", "80000000", "ffffffff", "ffffffff00000001", "ffffffff80000000", "fffffffe"].map(aKey)
  .concat("f".repeat(32), "f".repeat(31) + "e", "f".repeat(24) + "7" + "f".repeat(7));
const randomKey = fc.oneof(fc.constantFrom(...someKeys), fc.stringMatching(/^[0-9a-f]{32}$/));

type Step = { add: { ts: number; key: string } } | { release: { watermark: number; max: number } };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ add: fc.record({ ts: fc.integer({ min: 0, max: 20 }), key: randomKey }) }) },
  { weight: 1, arbitrary: fc.record({ release: fc.record({ watermark: fc.integer({ min: 0, max: 20 }), max: fc.integer({ min: 0, max: 40 }) }) }) },
);

/** The same by sorting a list. */
function createModel(entriesMax: number) {
  const waiting: Waiting[] = [];
  return {
    waiting,
    release(watermark: number, max: number): { positions: number[]; early: number } {
      waiting.sort((a, b) => a.ts - b.ts || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.position - b.position));
      const due = waiting.filter(({ ts }) => ts <= watermark).length;
      const tooMany = waiting.length >= entriesMax ? Math.ceil(waiting.length - entriesMax * 0.75) : 0;
      const out = waiting.splice(0, Math.min(max, Math.max(due, tooMany)));
      return { positions: out.map(({ position }) => position), early: out.filter(({ ts }) => ts > watermark).length };
    },
    positionOf(key: string): number | undefined {
      const positions = waiting.filter((one) => one.key === key).map(({ position }) => position);
      return positions.length === 0 ? undefined : Math.min(...positions);
    },
  };
}

const limits: [string, number][] = [["no limit", 1e6], ["a small limit", 12 * waitingBytes]];
test.each(limits)("whatever comes and leaves, it is as if a list were sorted: %s", (_, bytesMax) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), fc.integer({ min: 1, max: 1000 }), (steps, stride) => {
      const [buffer, model] = [createOrderBuffer(bytesMax), createModel(Math.floor(bytesMax / waitingBytes))];
      let count = 0;
      for (const one of steps) {
        if ("release" in one) {
          expect(buffer.release(one.release.watermark, one.release.max)).toEqual(model.release(one.release.watermark, one.release.max));
          continue;
        }
        // Steps of any size, to and fro: the log is read in order, but the buffer does not depend on it.
        const waiting = { ...one.add, position: (count++ * stride) % 1009 };
        add(buffer, waiting);
        model.waiting.push(waiting);
      }
      expect(buffer.size).toBe(model.waiting.length);
      for (const key of [...someKeys, ...model.waiting.map((one) => one.key)]) expect(buffer.positionOf(key)).toBe(model.positionOf(key));
      expect(buffer.release(20, Infinity).positions).toEqual(model.release(20, Infinity).positions);
      expect(someKeys.filter((key) => buffer.positionOf(key) !== undefined)).toEqual([]);
    }),
  );
});

test("growing loses nothing: thousands wait, leave in part, and wait again", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.nat({ max: 2000 })), { minLength: 1, maxLength: 4 }), fc.integer(), (rounds, seed) => {
      const [buffer, model] = [createOrderBuffer(1e6), createModel(Infinity)];
      let position = 0;
      for (const [come, leave] of rounds) {
        for (let i = 0; i < come; i++, position++) {
          const mixed = mix(position + seed);
          const waiting = { ts: mixed % 97, key: aKey(mix(mixed % 1500).toString(16).padStart(8, "0")), position };
          add(buffer, waiting);
          model.waiting.push(waiting);
        }
        expect(buffer.release(50, leave)).toEqual(model.release(50, leave));
      }
      for (const { key } of model.waiting.slice(0, 50)) expect(buffer.positionOf(key)).toBe(model.positionOf(key));
      expect(buffer.release(97, Infinity).positions).toEqual(model.release(97, Infinity).positions);
    }),
    { numRuns: 20 },
  );
});

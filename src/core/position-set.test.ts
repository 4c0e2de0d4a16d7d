import fc from "fast-check";
import { expect, test } from "vitest";
import { createPositionSet } from "./position-set.ts";

test("a set has what was added, and so has one rebuilt from its mark and bitmap", () => {
  const batches = fc.array(fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 20 }), { maxLength: 8 });
  fc.assert(
    fc.property(batches, (added) => {
      const set = createPositionSet(1, Buffer.alloc(0));
      const model = new Set<number>();
      for (const batch of added) {
        set.add(batch);
        for (const position of batch) model.add(position);
      }
      const copy = createPositionSet(set.lowWater, set.bitmap());
      for (let position = 1; position <= 100; position++) {
        expect(set.has(position)).toBe(model.has(position));
        expect(copy.has(position)).toBe(model.has(position));
      }
      expect(model.has(set.lowWater)).toBe(false);
      expect(copy.lowWater).toBe(set.lowWater);
    }),
  );
});

test("a long run in order leaves an empty bitmap, and a hole keeps the mark", () => {
  const set = createPositionSet(1, Buffer.alloc(0));
  for (let from = 1; from < 500_000; from += 1000) set.add(Array.from({ length: 1000 }, (_, i) => from + i));
  expect(set.lowWater).toBe(500_001);
  expect(set.bitmap().length).toBe(0);
  set.add(Array.from({ length: 100_000 }, (_, i) => 500_002 + i));
  expect(set.lowWater).toBe(500_001);
  expect(set.bitmap().length).toBe(12_501);
  set.add([500_001]);
  expect(set.lowWater).toBe(600_002);
  expect(set.has(600_002)).toBe(false);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { createPositionSet } from "./position-set.ts";

test("a set rebuilt from mark and bitmap has the same positions", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 10 }), { maxLength: 8 }), (batches) => {
      const set = createPositionSet(1, Buffer.alloc(0));
      const model = new Set<number>();
      for (const batch of batches) {
        set.add(batch);
        for (const position of batch) model.add(position);
      }
      const copy = createPositionSet(set.lowWater, set.bitmap());
      for (let position = 1; position <= 60; position++) {
        expect(set.has(position)).toBe(model.has(position));
        expect(copy.has(position)).toBe(model.has(position));
      }
      expect(model.has(set.lowWater)).toBe(false);
      expect(copy.lowWater).toBe(set.lowWater);
    }),
  );
});

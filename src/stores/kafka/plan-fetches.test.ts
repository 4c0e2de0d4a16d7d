import fc from "fast-check";
import { expect, test } from "vitest";
import { planFetches } from "./plan-fetches.ts";

const pageBytes = 4_000_000;

test.each([
  { name: "none", positions: [], plans: [] },
  { name: "neighbours", positions: [3, 1, 2, 2], plans: [{ first: 1, bytesMax: 16_000, wanted: [1, 2, 3] }] },
  { name: "a run with holes", positions: [100, 1, 50], plans: [{ first: 1, bytesMax: 120_000, wanted: [1, 50, 100] }] },
  { name: "far apart", positions: [5000, 1], plans: [{ first: 1, bytesMax: 16_000, wanted: [1] }, { first: 5000, bytesMax: 16_000, wanted: [5000] }] },
])("$name", ({ positions, plans }) => {
  expect(planFetches(positions, 1000, pageBytes)).toEqual(plans);
});

test("every position is wanted once, in order, and no fetch is larger than a page", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 100_000 })), fc.integer({ min: 1, max: 100_000 }), (positions, recordBytes) => {
    const plans = planFetches(positions, recordBytes, pageBytes);
    expect(plans.flatMap(({ wanted }) => wanted)).toEqual([...new Set(positions)].sort((a, b) => a - b));
    expect(plans.every(({ first, bytesMax, wanted }) => wanted[0] === first && bytesMax <= pageBytes)).toBe(true);
  }));
});

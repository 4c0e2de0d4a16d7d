import fc from "fast-check";
import { expect, test } from "vitest";
import { createRowIds } from "./row-id.ts";

test("equal rows get different ids, numbered by their occurrence", () => {
  const rowId = createRowIds("import");
  const [first, second] = [rowId({ a: "1" }), rowId({ a: "1" })];
  expect([first.endsWith("-1"), second.endsWith("-2"), first.slice(0, 64) === second.slice(0, 64)]).toEqual([true, true, true]);
});

test("the order of columns does not matter", () => {
  expect(createRowIds("import")({ a: "1", b: { c: 2, d: [3] } })).toBe(createRowIds("import")({ b: { d: [3], c: 2 }, a: "1" }));
});

test("another source gives other ids", () => {
  expect(createRowIds("shop")({ a: "1" })).not.toBe(createRowIds("import")({ a: "1" }));
});

test("a file in any order has the same set of ids, one for each row", () => {
  const row = fc.record({ a: fc.constantFrom("x", "y"), b: fc.constantFrom(1, 2) });
  const shuffled = fc.array(row).chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
  fc.assert(
    fc.property(shuffled, ([rows, other]) => {
      const ids = new Set(rows.map(createRowIds("s")));
      expect(ids.size).toBe(rows.length);
      expect(new Set(other.map(createRowIds("s")))).toEqual(ids);
    }),
  );
});

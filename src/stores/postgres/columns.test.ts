import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres } from "../../testing/postgres-clone.ts";
import { bools, byteas, float8s, int4s, int8s, texts } from "./columns.ts";

let clone: Awaited<ReturnType<typeof clonePostgres>>;
beforeAll(async () => {
  clone = await clonePostgres();
});
afterAll(() => clone.drop());

const readBack = async (type: string, column: Buffer): Promise<unknown> =>
  (await clone.db.query<{ v: unknown }>(`select v from unnest($1::${type}[]) with ordinality n (v, ord) order by ord`, [column])).map((row) => row.v);

const latin1 = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const columns = [
  { type: "int", arbitrary: fc.array(fc.integer()), encode: int4s },
  { type: "bigint", arbitrary: fc.array(fc.maxSafeInteger()), encode: int8s },
  { type: "float8", arbitrary: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0)), encode: float8s },
  { type: "boolean", arbitrary: fc.array(fc.boolean()), encode: bools },
  { type: "text", arbitrary: fc.array(fc.string({ unit: "grapheme", maxLength: 20 }).filter((text) => !text.includes("\0") && text.isWellFormed())), encode: texts },
  { type: "bytea", arbitrary: fc.array(fc.option(latin1)), encode: byteas },
] as { type: string; arbitrary: fc.Arbitrary<unknown[]>; encode: (values: never) => Buffer }[];

for (const { type, arbitrary, encode } of columns) {
  test(`a column of ${type} arrives as it was`, async () => {
    await fc.assert(fc.asyncProperty(arbitrary, async (values) => {
      expect(await readBack(type, encode(values as never))).toEqual(values);
    }), { numRuns: 40, examples: [[[]]] });
  });
}

test("a string of one byte per character is a bytea too", async () => {
  expect(await readBack("bytea", byteas(["\x00\xff\x41"]))).toEqual([Buffer.from([0, 255, 65])]);
});

test("a number that is no safe integer is refused before it is sent", () => {
  expect(() => int8s([2 ** 53])).toThrow("9007199254740992 is no safe integer");
});

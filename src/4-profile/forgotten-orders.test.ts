import fc from "fast-check";
import { expect, test } from "vitest";
import { addForgotten, joinForgotten, mayBeForgotten } from "./forgotten-orders.ts";
import { orderHash } from "./orders.ts";

const filterOf = (orders: string[]): Uint8Array | undefined => orders.reduce<Uint8Array | undefined>(addForgotten, undefined);
const orders = fc.array(fc.string().map(orderHash), { maxLength: 30 });

test("what was added is found, in whatever order and parts it was added", () => {
  fc.assert(fc.property(orders, orders, (left, right) => {
    const whole = filterOf([...left, ...right]);
    const joined = joinForgotten(filterOf(right), filterOf(left));
    expect(joined).toEqual(whole);
    expect([...left, ...right].every((order) => whole && mayBeForgotten(whole, order))).toBe(true);
  }));
});

const rows: [forgotten: number, shareMax: number][] = [[500, 0.0005], [5000, 0.006], [10_000, 0.08]];
test.each(rows)("of new orders beside %d forgotten ones at most a share of %d is taken for forgotten", (forgotten, shareMax) => {
  const filter = filterOf(Array.from({ length: forgotten }, (_, n) => orderHash(`forgotten ${n}`))) as Uint8Array;
  const taken = Array.from({ length: 20_000 }, (_, n) => orderHash(`new ${n}`)).filter((order) => mayBeForgotten(filter, order));
  expect(taken.length / 20_000).toBeLessThan(shareMax);
});

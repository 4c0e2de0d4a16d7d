import { expect, test } from "vitest";
import { createPageCache } from "./page-cache.ts";

const page = (first: number, count: number, size = 10) => ({ first, records: Array.from({ length: count }, (_, i) => Buffer.alloc(size, first + i)) });
const limits = { bytesMax: 10_000, pageBytesMax: 5000, pagesMax: 10 };

test("finds the page of a position, of its own shard alone", () => {
  const cache = createPageCache(limits);
  cache.add(0, page(10, 5));
  expect(cache.find(0, 14)?.first).toBe(10);
  expect([cache.find(0, 15), cache.find(0, 9), cache.find(1, 12)]).toEqual([undefined, undefined, undefined]);
});

test("a page that goes on where another ends, or begins within it, is added to that one", () => {
  const cache = createPageCache(limits);
  cache.add(0, page(10, 5));
  cache.add(0, page(13, 5));
  cache.add(0, page(18, 1));
  const found = cache.find(0, 10);
  expect(found?.records.map((record) => record[0])).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18]);
  expect(cache.find(0, 18)).toBe(found);
});

test("the pages used longest ago go first, by bytes and by count", () => {
  const byBytes = createPageCache(limits);
  for (const first of [100, 200, 300]) byBytes.add(0, page(first, 4, 900));
  expect([100, 200, 300].map((position) => byBytes.find(0, position) !== undefined)).toEqual([false, true, true]);
  const byCount = createPageCache({ ...limits, pagesMax: 2 });
  byCount.add(0, page(100, 1));
  byCount.add(0, page(200, 1));
  byCount.find(0, 100);
  byCount.add(0, page(300, 1));
  expect([100, 200, 300].map((position) => byCount.find(0, position) !== undefined)).toEqual([true, false, true]);
});

test("one page that is larger than the bound is kept until the next", () => {
  const cache = createPageCache(limits);
  cache.add(0, page(1, 20, 1000));
  expect(cache.find(0, 20)).toBeDefined();
});

import { expect, test } from "vitest";
import { anItem } from "../../testing/events.ts";
import { createRecentRows } from "./recent-rows.ts";

test("a row that arrived is found as it is, until it is gone", () => {
  const rows = createRecentRows(100);
  const item = { ...anItem(2 ** 40 + 3, { eventId: "e" }), contentHash: 2 ** 52 - 1 };
  expect(rows.find(item.key)).toBeUndefined();
  rows.arrived([item]);
  expect(rows.find(item.key)).toEqual({ partition: item.partition, position: 2 ** 40 + 3, contentHash: 2 ** 52 - 1, held: false });
  rows.gone(item.key);
  expect(rows.find(item.key)).toBeUndefined();
});

test("of very many the latest half is surely there, and memory has its bound", () => {
  const rows = createRecentRows(1000);
  const items = Array.from({ length: 5000 }, (_, n) => anItem(n + 1, { eventId: `e${n}` }));
  rows.arrived(items);
  expect(items.slice(-500).map(({ key }) => rows.find(key)?.position)).toEqual(items.slice(-500).map(({ position }) => position));
  expect(items.filter(({ key }) => rows.find(key)).length).toBeLessThanOrEqual(1000);
});

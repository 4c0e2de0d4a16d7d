import { expect, test } from "vitest";
import { createMemoryLog } from "./memory-log.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const texts = (records: { bytes: Uint8Array }[]): string[] => records.map((record) => Buffer.from(record.bytes).toString());

test("gives positions that grow by one and reads from any of them", async () => {
  const log = createMemoryLog();
  expect([await log.append(0, [bytes("a"), bytes("b")]), await log.append(0, [bytes("c")]), log.head(0)]).toEqual([0, 2, 3]);
  expect(texts(await log.read(0, 1, 10, 100))).toEqual(["b", "c"]);
  expect(texts(await log.read(0, 0, 10, 2))).toEqual(["a", "b"]);
  expect(texts(await log.readAt(0, [2, 0]))).toEqual(["c", "a"]);
  expect(await log.read(0, 3, 10, 100)).toEqual([]);
});

test("what was dropped is an error, and positions are never given twice", async () => {
  const log = createMemoryLog();
  await log.append(0, [bytes("a"), bytes("b")]);
  await log.dropBelow(0, 1);
  await expect(log.readAt(0, [0])).rejects.toThrow("dropped");
  expect([await log.append(0, [bytes("c")]), log.stats().bytes]).toEqual([2, 2]);
});

test("keeps shards apart", async () => {
  const log = createMemoryLog({ shards: [0, 1] });
  await log.append(1, [bytes("a")]);
  expect([log.head(0), log.head(1)]).toEqual([0, 1]);
});

test("refuses everything once closed", async () => {
  const log = createMemoryLog();
  await log.close();
  await expect(log.append(0, [bytes("a")])).rejects.toThrow("closed");
  await expect(log.check()).rejects.toThrow("closed");
});

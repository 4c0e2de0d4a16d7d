import { createRecordsBatch, Reader, readRecordsBatches } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchBytes, decodeBatches, encodeBatch } from "./record-batch.ts";

const now = 1_790_000_000_000;
const origin = { producerId: 77n, producerEpoch: 3, sequence: 12 };
const record = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 20_000 }).map((size) => new Uint8Array(size).fill(size)));
const records = fc.array(record, { minLength: 1, maxLength: 200 });

/** As a broker would have it: batches of records, each beginning where the one before it ended. */
function asKept(runs: readonly (readonly Uint8Array[])[], first: number): Buffer {
  let offset = first;
  return Buffer.concat(runs.map((run) => {
    const batch = encodeBatch(run, origin, now);
    batch.writeBigInt64BE(BigInt(offset), 0);
    offset += run.length;
    return batch;
  }));
}
const hex = (list: readonly Uint8Array[]): string[] => list.map((bytes) => Buffer.from(bytes).toString("hex"));

test("the library reads what is written here", () => {
  fc.assert(fc.property(records, (given) => {
    const encoded = encodeBatch(given, origin, now);
    expect(encoded.length).toBe(batchBytes(given));
    const [batch] = readRecordsBatches(Reader.from(encoded));
    expect(batch).toMatchObject({
      length: encoded.length - 12, magic: 2, attributes: 0, lastOffsetDelta: given.length - 1, firstTimestamp: BigInt(now), maxTimestamp: BigInt(now),
      producerId: 77n, producerEpoch: 3, firstSequence: 12,
    });
    expect(batch?.records.map(({ offsetDelta, key, value }) => [offsetDelta, key, value?.toString("hex")]))
      .toEqual(given.map((bytes, i) => [i, null, Buffer.from(bytes).toString("hex")]));
  }));
});

test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("what the library writes with compression %s is read here, keys and headers left out", (compression) => {
  const values = ["", "a", "b".repeat(5000)].map((text) => Buffer.from(text));
  const messages = values.map((value, i) => ({ topic: "t", partition: 0, key: Buffer.from(`k${i}`), value, headers: new Map([[Buffer.from("h"), Buffer.from("v")]]), timestamp: BigInt(now + i * 1000) }));
  const batch = createRecordsBatch(messages, { compression });
  expect(decodeBatches(batch.buffer)).toEqual({ first: 0, records: values });
});

test("several batches are one run, and one that is cut off is left for the next fetch", () => {
  fc.assert(fc.property(fc.array(records, { minLength: 1, maxLength: 5 }), fc.nat({ max: 60 }), (runs, cut) => {
    const whole = asKept(runs, 1000);
    expect(decodeBatches(whole)).toMatchObject({ first: 1000 });
    expect(hex(decodeBatches(whole)?.records ?? [])).toEqual(hex(runs.flat()));
    const left = decodeBatches(whole.subarray(0, whole.length - 1 - cut))?.records ?? [];
    expect(hex(left)).toEqual(hex(runs.slice(0, -1).flat()));
  }), { numRuns: 50 });
});

test("nothing is no run", () => {
  expect(decodeBatches(Buffer.alloc(0))).toBeUndefined();
});

describe("damage is an error, and never a wrong record", () => {
  test("whichever byte that the checksum covers changes", () => {
    const given = [Buffer.from("abc"), Buffer.from("defg")];
    const good = asKept([given], 5);
    for (let at = 17; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x41;
      expect(() => decodeBatches(bad)).toThrow();
    }
  });

  test("also when positions are missing between batches", () => {
    const [one, other] = [asKept([[Buffer.from("a")]], 5), asKept([[Buffer.from("b")]], 7)];
    expect(() => decodeBatches(Buffer.concat([one, other]))).toThrow("no records from offset 6 to 6");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventLog } from "../../contracts/event-log.ts";
import { openLocalLog } from "./local-log.ts";

const segmentAgeMsMax = 1000;

/** What the log should be: every record ever appended, and how many of the oldest may be gone. */
interface Model {
  records: Buffer[];
  mayBeGone: number;
}

type Step = (log: EventLog, model: Model) => Promise<void>;

const bytes = fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array));

const append = fc.array(fc.array(bytes, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }).map((batches): Step =>
  async (log, model) => {
    const firsts = await Promise.all(batches.map((batch) => log.append(0, batch)));
    for (const [i, batch] of batches.entries()) {
      expect(firsts[i]).toBe(model.records.length + 1);
      model.records.push(...batch);
    }
  });

const share = fc.double({ min: 0, max: 0.999, noNaN: true });

const read = fc.tuple(share, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20_000 })).map(([place, recordsMax, bytesMax]): Step =>
  async (log, model) => {
    const end = model.records.length + 1;
    const asked = Math.floor(place * (end + 2));
    const found = await log.read(0, asked, recordsMax, bytesMax);
    const first = found[0]?.position ?? Math.max(asked, end);
    expect(first).toBeGreaterThanOrEqual(Math.max(asked, 1));
    expect(first).toBeLessThanOrEqual(Math.max(asked, model.mayBeGone + 1));
    for (const [i, record] of found.entries()) {
      expect(record.position).toBe(first + i);
      expect(model.records[record.position - 1]?.equals(record.bytes)).toBe(true);
    }
    const sizes = found.map((record) => record.bytes.length);
    expect(sizes.slice(0, -1).reduce((sum, size) => sum + size, 0)).toBeLessThan(bytesMax);
    expect(found.length).toBeLessThanOrEqual(recordsMax);
  });

const readAt = fc.array(share, { maxLength: 20 }).map((places): Step => async (log, model) => {
  const there = model.records.length - model.mayBeGone;
  if (there === 0) return;
  const asked = places.map((place) => model.mayBeGone + 1 + Math.floor(place * there));
  const found = await log.readAt(0, asked);
  expect(found.map((record) => record.position)).toEqual(asked);
  expect(found.every((record) => model.records[record.position - 1]?.equals(record.bytes))).toBe(true);
});

const drop = share.map((place): Step => async (log, model) => {
  const below = Math.round(place * model.records.length) + 1;
  await log.dropBelow(0, below);
  model.mayBeGone = Math.max(model.mayBeGone, below - 1);
});

test("any sequence of appends, reads, drops, ageing and reopening agrees with an array", async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: append }, { weight: 3, arbitrary: read }, { weight: 2, arbitrary: readAt }, { weight: 2, arbitrary: drop },
    { weight: 1, arbitrary: fc.constant("age" as const) }, { weight: 1, arbitrary: fc.constant("reopen" as const) },
  );
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
    const dir = await mkdtemp(join(tmpdir(), "log-model-"));
    const model: Model = { records: [], mayBeGone: 0 };
    let now = 0;
    const open = (): Promise<EventLog> => openLocalLog({ dir, segmentBytesMax: 60_000, segmentAgeMsMax, clock: { now: () => now } });
    let log = await open();
    try {
      for (const one of steps) {
        if (one === "age") now += segmentAgeMsMax;
        else if (one === "reopen") {
          await log.close();
          log = await open();
        } else await one(log, model);
        expect(log.head(0)).toBe(model.records.length + 1);
      }
    } finally {
      await log.close();
      await rm(dir, { recursive: true, force: true });
    }
  }), { numRuns: 60 });
});

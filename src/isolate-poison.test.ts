import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogRecord } from "./contracts/event-log.ts";
import { createPositionSet } from "./core/position-set.ts";
import { createIsolation, PartlyDoneError } from "./isolate-poison.ts";
import { silentLog } from "./testing/silent-log.ts";

const records = (positions: number[]): LogRecord[] => positions.map((position) => ({ position, bytes: new Uint8Array() }));
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

interface Fault {
  poison?: Set<number>;
  /** Errors that look like outages, by the number of the run. */
  failRuns?: Set<number>;
  unknown?: Set<number>;
  healthy?: boolean;
}

function setup({ poison = new Set(), failRuns = new Set(), unknown = new Set(), healthy = true }: Fault = {}) {
  const positions = createPositionSet(1, Buffer.alloc(0));
  const counted = new Map<number, number>();
  const buried: number[] = [];
  let runs = 0;
  const isolate = createIsolation({
    positions,
    async run(batch) {
      if (failRuns.has(++runs)) throw new Error("connection lost");
      if (batch.some((record) => poison.has(record.position))) throw new TypeError("cannot read");
      if (batch.some((record) => unknown.has(record.position))) throw new Error("never seen before");
      for (const { position } of batch) counted.set(position, (counted.get(position) ?? 0) + 1);
      positions.add(batch.map((record) => record.position));
    },
    async bury(record) {
      buried.push(record.position);
      positions.add([record.position]);
    },
    isPoison: (error) => error instanceof TypeError,
    healthy: async () => healthy,
    logger: silentLog,
  });
  return { isolate, counted, buried, positions };
}

async function untilDone(isolate: (batch: LogRecord[]) => Promise<void>, batch: LogRecord[], triesMax = 50): Promise<void> {
  for (let i = 0; i < triesMax; i++) {
    try {
      return await isolate(batch);
    } catch {
      // An outage: the worker would wait and call again.
    }
  }
  throw new Error("never done");
}

test("whatever is poison and whenever the database is away, every other record is run exactly once", async () => {
  const set = (max: number, maxLength: number) => fc.array(fc.integer({ min: 1, max }), { maxLength }).map((list) => new Set(list));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), set(40, 5), set(30, 8), async (size, poison, failRuns) => {
      const { isolate, counted, buried } = setup({ poison, failRuns, healthy: false });
      await untilDone(isolate, records(upTo(size)));
      const bad = upTo(size).filter((position) => poison.has(position));
      expect([...buried].sort((a, b) => a - b)).toEqual(bad);
      expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(upTo(size).filter((p) => !poison.has(p)).map((p) => [p, 1])));
    }),
  );
});

test("an outage buries nobody", async () => {
  const { isolate, buried } = setup({ unknown: new Set([3]), healthy: false });
  for (let i = 0; i < 20; i++) await expect(isolate(records(upTo(5)))).rejects.toThrow("never seen before");
  expect(buried).toEqual([]);
});

test("an unknown error that stays while all databases answer costs its own record", async () => {
  const { isolate, buried, counted } = setup({ unknown: new Set([3]), healthy: true });
  await untilDone(isolate, records(upTo(5)), 10);
  expect(buried).toEqual([3]);
  expect([...counted.keys()].sort()).toEqual([1, 2, 4, 5]);
});

test("when everything is poison it stands still instead of burying the stream", async () => {
  const { isolate, buried } = setup({ poison: new Set(upTo(100)) });
  await expect(isolate(records(upTo(100)))).rejects.toThrow(TypeError);
  await expect(isolate(records(upTo(100)))).rejects.toThrow(TypeError);
  expect(buried.length).toBe(20);
});

test("what a lost commit answer left in state is not run again", async () => {
  const positions = createPositionSet(1, Buffer.alloc(0));
  const seen: number[][] = [];
  const isolate = createIsolation({
    positions,
    async run(batch) {
      seen.push(batch.map((record) => record.position));
      if (seen.length === 1) throw new PartlyDoneError([1, 2]);
    },
    bury: () => Promise.reject(new Error("nothing to bury")),
    isPoison: () => false,
    healthy: async () => true,
    logger: silentLog,
  });
  await isolate(records([1, 2, 3, 4]));
  expect(seen).toEqual([[1, 2, 3, 4], [3, 4]]);
});

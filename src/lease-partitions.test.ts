import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leasePartitions, shareOf, type Leases, type Running } from "./lease-partitions.ts";
import { clonePostgres, type PostgresClone } from "./testing/postgres-clone.ts";
import { silentLog } from "./testing/silent-log.ts";

test.each([
  [6, 3, [2, 2, 2]],
  [4, 3, [2, 1, 1]],
  [2, 3, [1, 1, 0]],
  [1, 1, [1]],
])("%i partitions among %i workers: %j", (partitions, workers, shares) => {
  expect(shares.map((_, rank) => shareOf(partitions, workers, rank))).toEqual(shares);
});

describe("workers that share a log", () => {
  let clone: PostgresClone;
  let logs = 0;
  const leaseMs = 1000;
  const all: Leases<Running>[] = [];

  beforeAll(async () => {
    clone = await clonePostgres();
  });
  afterAll(async () => {
    for (const leases of all) await leases.stop();
    await clone.drop();
  });

  /** Starts a worker on six partitions. `starts` and `stops` note what it works on; `failing` starts reject. */
  function startWorker(logId: string, workerId: string, failing = 0) {
    const seen = { starts: [] as number[], stops: [] as number[], holds: () => false };
    const leases = leasePartitions<Running>({
      db: clone.db, worker: { logId, workerId, leaseMs }, shards: [0, 1, 2, 3, 4, 5], logger: silentLog,
      async start({ shard }, holds) {
        if (failing-- > 0) throw new Error("history is away");
        seen.starts.push(shard);
        seen.holds = holds;
        return { check: async () => undefined, stop: async () => void seen.stops.push(shard) };
      },
    });
    all.push(leases);
    return { leases, seen, shards: () => [...leases.running.keys()].sort() };
  }
  const newLog = (): string => `log ${++logs}`;

  test("one has all; a second gets half of them, and has all when the first leaves", async () => {
    const logId = newLog();
    const first = startWorker(logId, "a");
    await expect.poll(first.shards).toEqual([0, 1, 2, 3, 4, 5]);
    const second = startWorker(logId, "b");
    await expect.poll(() => [first.shards().length, second.shards().length], { timeout: 5000 }).toEqual([3, 3]);
    expect([...first.shards(), ...second.shards()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(first.seen.stops.sort()).toEqual(second.shards());
    await first.leases.stop();
    await expect.poll(second.shards, { timeout: 5000 }).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("one whose partitions were taken while it stood still stops working on them", async () => {
    const logId = newLog();
    const asleep = startWorker(logId, "a");
    await expect.poll(asleep.shards).toHaveLength(6);
    await clone.db.query("update log_partition set epoch = epoch + 1, owner = 'other', lease_until = now() + interval '1 hour' where log_id = $1 and shard < 5", [logId]);
    await expect.poll(() => asleep.seen.stops.toSorted(), { timeout: 5000 }).toEqual([0, 1, 2, 3, 4]);
    expect(asleep.shards()).toEqual([5]);
  });

  test("a partition whose start fails is tried again", async () => {
    const one = startWorker(newLog(), "a", 4);
    await expect.poll(one.shards, { timeout: 5000 }).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("what cannot be renewed is not held for longer than the lease lasts, and is held again afterwards", async () => {
    const logId = newLog();
    const one = startWorker(logId, "a");
    await expect.poll(one.shards).toHaveLength(6);
    expect(one.seen.holds()).toBe(true);
    await clone.db.transaction(async (tx) => {
      await clone.db.in(tx).query("select from log_partition where log_id = $1 for update", [logId]);
      await expect.poll(one.seen.holds, { timeout: 5000 }).toBe(false);
    });
    await expect.poll(one.seen.holds, { timeout: 5000 }).toBe(true);
    await expect(one.leases.check()).resolves.toBeUndefined();
  });
});

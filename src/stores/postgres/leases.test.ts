import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import { giveBack, layOutPartitions, leaveWork, renewLease, reportForWork, takeFree, type Worker } from "./leases.ts";
import { lockPartition, StaleEpochError } from "./partitions.ts";

let clone: PostgresClone;
let logs = 0;

beforeAll(async () => {
  clone = await clonePostgres();
});
afterAll(() => clone.drop());

/** Two workers on a log of their own with so many partitions. */
async function twoWorkers(partitions: number, leaseMs = 60_000): Promise<[Worker, Worker]> {
  const logId = `log ${++logs}`;
  await layOutPartitions(clone.db, logId, Array.from({ length: partitions }, (_, shard) => shard));
  return [{ logId, workerId: "a", leaseMs }, { logId, workerId: "b", leaseMs }];
}
const shardsOf = (partitions: { shard: number }[]): number[] => partitions.map(({ shard }) => shard).sort();

test("a partition is taken by one worker only, however many ask at once", async () => {
  const [a, b] = await twoWorkers(6);
  const taken = await Promise.all([a, b, a, b].map((worker) => takeFree(clone.db, worker, [], 6)));
  const [ofA, ofB] = [[...(taken[0] ?? []), ...(taken[2] ?? [])], [...(taken[1] ?? []), ...(taken[3] ?? [])]];
  const owners = await clone.db.query<{ shard: number; owner: string }>("select shard, owner from log_partition where log_id = $1 order by shard", [a.logId]);
  expect(owners.map(({ shard }) => shard)).toEqual([0, 1, 2, 3, 4, 5]);
  for (const { shard, owner } of owners) expect(shardsOf(owner === "a" ? ofA : ofB)).toContain(shard);
  expect(shardsOf(ofA).filter((shard) => shardsOf(ofB).includes(shard))).toEqual([]);
});

test("a lease that ran out is taken over, and what its owner commits afterwards is refused", async () => {
  const [a, b] = await twoWorkers(1, 1);
  const [before] = await takeFree(clone.db, a, [], 1);
  await expect.poll(async () => shardsOf(await takeFree(clone.db, b, [], 1))).toEqual([0]);
  const { partitionId = 0, epoch = 0 } = before ?? {};
  expect(await renewLease(clone.db, partitionId, epoch, 60_000)).toBe(false);
  await expect(clone.db.transaction((tx) => lockPartition(clone.db.in(tx), partitionId, epoch))).rejects.toThrow(StaleEpochError);
});

test("a lease that ran out and that nobody took goes on", async () => {
  const [a, b] = await twoWorkers(1, 1);
  const [own] = await takeFree(clone.db, a, [], 1);
  expect(await renewLease(clone.db, own?.partitionId ?? 0, own?.epoch ?? 0, 60_000)).toBe(true);
  expect(await takeFree(clone.db, b, [], 1)).toEqual([]);
});

test("what is held is nobody else's, and is free as soon as it is given back", async () => {
  const [a, b] = await twoWorkers(2);
  const [first] = await takeFree(clone.db, a, [], 1);
  expect(shardsOf(await takeFree(clone.db, b, [], 5))).toEqual([1]);
  await giveBack(clone.db, first?.partitionId ?? 0, first?.epoch ?? 0);
  expect(shardsOf(await takeFree(clone.db, b, [1], 5))).toEqual([0]);
});

test("a worker that is started again has its partitions back at once, under a new epoch", async () => {
  const [a] = await twoWorkers(2);
  const before = await takeFree(clone.db, a, [], 2);
  const after = await takeFree(clone.db, a, [], 2);
  expect(shardsOf(after)).toEqual([0, 1]);
  expect(after.map(({ epoch }) => epoch)).toEqual(before.map(({ epoch }) => epoch + 1));
});

test("those that were not seen for the time of a lease, and those that left, do not count", async () => {
  const [a, b] = await twoWorkers(1);
  expect(await reportForWork(clone.db, { ...a, leaseMs: -1 })).toEqual({ workers: 0, rank: 0 });
  expect(await reportForWork(clone.db, b)).toEqual({ workers: 1, rank: 0 });
  expect(await reportForWork(clone.db, a)).toEqual({ workers: 2, rank: 0 });
  expect(await reportForWork(clone.db, b)).toEqual({ workers: 2, rank: 1 });
  await leaveWork(clone.db, a);
  expect(await reportForWork(clone.db, b)).toEqual({ workers: 1, rank: 0 });
});

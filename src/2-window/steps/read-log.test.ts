import { expect, test, vi } from "vitest";
import { encodeRecord, decodeEvent } from "../../core/log-record.ts";
import { eventKey } from "../../core/event-key.ts";
import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import { anEvent, t0 } from "../../testing/events.ts";
import { createMemoryLog } from "../../testing/memory-log.ts";
import { createOrderBuffer, waitingBytes } from "./order-events.ts";
import { createLogReader } from "./read-log.ts";

const keyOf = (event: CanonicalEvent): string => eventKey(event.tenantId, event.sourceId, event.eventId);

function setup(over: { batchMax?: number; isDone?: (position: number) => boolean; bufferBytesMax?: number } = {}) {
  const log = createMemoryLog();
  let early = 0;
  const reader = createLogReader({
    log, shard: 0, from: log.head(0), isDone: over.isDone ?? (() => false), lowWater: () => 0, buffer: createOrderBuffer(over.bufferBytesMax ?? 1e6), windowMs: 5000,
    batchMax: over.batchMax ?? 100, batchBytesMax: 1e6, onEarlyRelease: (count) => (early += count),
  });
  const append = (...events: CanonicalEvent[]) => log.append(0, events.map((event) => encodeRecord(event, keyOf(event))));
  const ids = async (now: number) => (await reader.next(now)).map((record) => decodeEvent(record.bytes).eventId);
  return { reader, append, ids, log, early: () => early };
}

test("events wait until the wall clock has passed them by the window when the log is idle", async () => {
  const { append, ids } = setup();
  await append(anEvent({ eventId: "a", ts: t0 }), anEvent({ eventId: "b", ts: t0 - 1000 }));
  expect(await ids(t0 + 3000)).toEqual([]);
  expect(await ids(t0 + 4000)).toEqual(["b"]);
  expect(await ids(t0 + 5000)).toEqual(["a"]);
});

test("historical, held and replayed events do not wait", async () => {
  const { append, ids } = setup();
  await append(anEvent({ eventId: "h", historical: true }), anEvent({ eventId: "q", held: "late" }), anEvent({ eventId: "r", replay: true }), anEvent({ eventId: "live" }));
  expect(await ids(t0)).toEqual(["h", "q", "r"]);
});

test("positions that are in state are not read again", async () => {
  const { append, ids } = setup({ isDone: (position) => position === 0 });
  await append(anEvent({ eventId: "done", historical: true }), anEvent({ eventId: "todo", historical: true }));
  expect(await ids(t0)).toEqual(["todo"]);
});

test("of what batches have carried, each key is told with its smallest position until that is in state", async () => {
  const inState = new Set<number>();
  const { append, ids, reader } = setup({ isDone: (position) => inState.has(position) });
  const [twice, once] = [anEvent({ eventId: "twice", historical: true }), anEvent({ eventId: "once", historical: true })];
  await append(once, twice, twice);
  await ids(t0);
  const carried = (): [string, number][] => [...reader.carriedAt(new Set([keyOf(twice), "another"]))];
  expect(carried()).toEqual([[keyOf(twice), 1]]);
  inState.add(1);
  expect(carried()).toEqual([[keyOf(twice), 2]]);
});

test("an import does not starve live events, nor they the import", async () => {
  const { append, ids } = setup({ batchMax: 4 });
  for (let i = 0; i < 6; i++) await append(anEvent({ eventId: `h${i}`, historical: true }), anEvent({ eventId: `l${i}`, ts: t0 + i }));
  const first = await ids(t0 + 60_000);
  expect(first.filter((id) => id.startsWith("l"))).toEqual(["l0", "l1", "l2"]);
  expect(first.filter((id) => id.startsWith("h"))).toEqual(["h0"]);
});

test("what waits is found by key: in the window, among what does not wait, beyond what was read, and in the batch under way", async () => {
  const inState = new Set<number>();
  const { append, reader } = setup({ batchMax: 1, isDone: (position) => inState.has(position) });
  const window = anEvent({ eventId: "w" });
  const import1 = anEvent({ eventId: "i1", historical: true });
  const import2 = anEvent({ eventId: "i2", historical: true });
  await append(window, import1, import2);
  const [first] = await reader.next(t0);
  const unread = anEvent({ eventId: "u" });
  await append(unread);
  const keys = [window, import1, import2, unread].map(keyOf);
  expect(await reader.findWaiting(keys, 1000)).toEqual(new Set(keys));
  inState.add(first?.position ?? -1);
  await reader.next(t0);
  expect(await reader.findWaiting(keys, 1000)).toEqual(new Set([keyOf(window), keyOf(import2), keyOf(unread)]));
});

test("a batch that could not be read comes with the next call, and counts as backlog until then", async () => {
  const { append, ids, reader, log } = setup();
  await append(anEvent({ eventId: "a", historical: true }), anEvent({ eventId: "b", historical: true }));
  const { readAt } = log;
  log.readAt = () => Promise.reject(new Error("the disk is away"));
  await expect(reader.next(t0)).rejects.toThrow("the disk is away");
  expect(reader.backlog()).toBe(2);
  log.readAt = readAt;
  expect(await ids(t0)).toEqual(["a", "b"]);
});

test("a reader that senders outpace from the first second on reads no further ahead than the next batches need", async () => {
  const { append, reader, log } = setup({ batchMax: 200 });
  const scanned = vi.spyOn(log, "scan");
  let handedOut = 0;
  for (let second = 0; second < 60; second++) {
    const times = Array.from({ length: 1000 }, (_, i) => t0 + second * 1000 + i);
    // One in a hundred is late.
    await append(...times.map((time, i) => anEvent({ eventId: `${time}`, ts: i % 100 === 0 ? time - 30_000 : time - 20, receivedAt: time })));
    handedOut += (await reader.next(t0 + second * 1000 + 999)).length;
  }
  expect(handedOut).toBeGreaterThan(10_000);
  const readTo = Math.max(...scanned.mock.calls.map(([, from]) => from));
  expect(readTo - handedOut).toBeLessThan(5000 + 2 * 2000);
});

test("a scan that fails half-way hands nothing out twice", async () => {
  const { append, ids, log } = setup();
  await append(anEvent({ eventId: "a", historical: true }), anEvent({ eventId: "b" }), anEvent({ eventId: "c", historical: true }));
  const { scan } = log;
  let left = 2;
  log.scan = (shard, from, max, visit) =>
    scan(shard, from, max, (position, bytes) => {
      if (left-- === 0) throw new Error("the disk is away");
      visit(position, bytes);
    });
  await expect(ids(t0)).rejects.toThrow("the disk is away");
  left = Infinity;
  expect([...(await ids(t0)), ...(await ids(t0 + 60_000))]).toEqual(["a", "c", "b"]);
});

test("a full window releases early instead of stopping, and says so", async () => {
  const { append, ids, early } = setup({ bufferBytesMax: waitingBytes * 8 });
  await append(...Array.from({ length: 20 }, (_, i) => anEvent({ eventId: `e${i}`, ts: t0 + i })));
  const out: string[] = [];
  for (let i = 0; i < 10; i++) out.push(...(await ids(t0)));
  expect(out.length).toBeGreaterThan(0);
  expect(out).toEqual([...out].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
  expect(early()).toBe(out.length);
});

test("when the clock is set back, what waited by the old clock leaves at once and order goes on by the new one", async () => {
  const { append, ids } = setup();
  const hour = 3_600_000;
  await append(anEvent({ eventId: "before", ts: t0 + hour, receivedAt: t0 + hour }));
  expect(await ids(t0 + hour)).toEqual([]);
  await append(anEvent({ eventId: "after", ts: t0, receivedAt: t0 }));
  expect(await ids(t0)).toEqual(["after", "before"]);
  await append(anEvent({ eventId: "later", ts: t0 + 1000, receivedAt: t0 + 1000 }));
  expect(await ids(t0 + 1000)).toEqual([]);
  expect(await ids(t0 + 6000)).toEqual(["later"]);
});

test("a backlog that comes after everything was worked off is read to its end", async () => {
  const { append, ids } = setup({ batchMax: 10 });
  let made = 0;
  const burst = (at: number): Promise<number> => append(...Array.from({ length: 50 }, () => anEvent({ eventId: `e${made++}`, ts: at, receivedAt: at })));
  const seen: string[] = [];
  for (let round = 0; round < 6; round++) {
    const at = t0 + round * 60_000;
    await burst(at);
    await burst(at + 6000);
    for (let empty = 0; empty < 2; ) {
      const some = await ids(at + 20_000);
      seen.push(...some);
      empty = some.length === 0 ? empty + 1 : 0;
    }
  }
  expect(seen).toHaveLength(600);
});

test("of a backlog no more is read ahead than the next batches need, and all of it comes out in order", async () => {
  const { append, reader, log } = setup({ batchMax: 1000 });
  for (let second = 0; second < 30; second++) {
    await append(...Array.from({ length: 1000 }, (_, i) => anEvent({ eventId: `${second}-${i}`, ts: t0 + second * 1000 + i, receivedAt: t0 + second * 1000 + i })));
  }
  const scanned = vi.spyOn(log, "scan");
  const first = await reader.next(t0 + 60_000);
  expect(first).toHaveLength(1000);
  expect(scanned.mock.calls.length).toBeLessThan(8);
  const times = first.map((record) => decodeEvent(record.bytes).ts);
  for (let batch = await reader.next(t0 + 60_000); batch.length > 0; batch = await reader.next(t0 + 60_000)) {
    times.push(...batch.map((record) => decodeEvent(record.bytes).ts));
  }
  expect(times).toEqual(Array.from({ length: 30_000 }, (_, i) => t0 + i));
});

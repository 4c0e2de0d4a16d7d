import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { MeterName } from "../../contracts/meters.ts";
import { keyToDecimal } from "../../core/event-key.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { anItem, t0 } from "../../testing/events.ts";
import { silentLog } from "../../testing/silent-log.ts";
import { openTestHistory } from "../../testing/test-history.ts";
import { createFindDuplicates } from "./find-duplicates.ts";
import { createHoldEvents } from "./hold-events.ts";
import { rebuildMemory } from "./rebuild-memory.ts";
import { createRecentRows, type RecentRows } from "./recent-rows.ts";
import { createKeyMemory, type KeyMemory } from "./remember-keys.ts";

let history: History;
let drop: () => Promise<void>;
let memory: KeyMemory;
let recent: RecentRows;
let counted: Map<MeterName, number>;
const meters = { add: (name: MeterName, by = 1) => void counted.set(name, (counted.get(name) ?? 0) + by), gauge: () => undefined };

beforeAll(async () => ({ history, drop } = await openTestHistory()));
afterAll(() => drop());
beforeEach(async () => {
  await history.deleteRows("events", "true", {});
  await history.deleteRows("events_held", "true", {});
  memory = createKeyMemory(1 << 16);
  recent = createRecentRows(100);
  counted = new Map();
});

const find = (waitingAt: (key: string) => number | undefined = () => undefined, carriedAt: () => Map<string, number> = () => new Map()) =>
  createFindDuplicates({ history, memory, recent, waitingAt, carriedAt, meters, log: silentLog });

async function inHistory(item: ReturnType<typeof anItem>): Promise<void> {
  const { event } = item;
  await history.insert("events", [
    { tenant: 1, identity: 7, ts: event.ts, event_key: keyToDecimal(item.key), log_partition: item.partition, log_pos: item.position, event_id: event.eventId, content_hash: item.contentHash },
  ]);
}

test.each([
  ["was handed out behind it", 1, undefined, "repeated"],
  ["still waits", 2, 1, "repeated"],
  ["is the batch's own", 2, undefined, "fresh"],
] as const)("of a batch that is done again an event is repeated when an earlier copy is on its way: that %s", async (_, carried, waiting, outcome) => {
  const item = anItem(2, { eventId: "e", ts: t0 });
  const found = await find(() => waiting, () => new Map([[item.key, carried]]))([item], undefined, true);
  expect(found).toEqual({ fresh: [], repeated: [], [outcome]: [item] });
});

test("of one key in a batch the smallest log position is the first, whatever the order of times", async () => {
  const later = anItem(2, { eventId: "e", ts: t0 });
  const first = anItem(1, { eventId: "e", ts: t0 + 5 });
  const { fresh, repeated } = await find()([later, first]);
  expect(fresh).toEqual([first]);
  expect(repeated).toEqual([later]);
});

test("an event whose first copy still waits in the window is a duplicate", async () => {
  const item = anItem(9, { eventId: "e" });
  const { fresh } = await find(() => 3)([item]);
  expect(fresh).toEqual([]);
});

test("an event that history has at another position is a duplicate; at its own it is the same event again", async () => {
  await inHistory(anItem(5, { eventId: "e" }));
  const { fresh } = await find()([anItem(6, { eventId: "e" })]);
  expect(fresh).toEqual([]);
  const again = anItem(5, { eventId: "e" });
  expect((await find()([again])).fresh).toEqual([again]);
});

test("an event that history is known to have needs no look-up: another copy is a duplicate, itself again is not", async () => {
  const item = anItem(5, { eventId: "e" });
  recent.arrived([item]);
  memory.rebuilt();
  memory.remember(item.key);
  expect((await find()([anItem(6, { eventId: "e" })])).fresh).toEqual([]);
  expect((await find()([item])).fresh).toEqual([item]);
  recent.gone(item.key);
  const other = anItem(7, { eventId: "e" });
  expect((await find()([other])).fresh).toEqual([other]);
});

test("other content under the same id is a duplicate too, and counted as a conflict", async () => {
  await inHistory(anItem(5, { eventId: "e" }, 11));
  expect((await find()([anItem(6, { eventId: "e" }, 12)])).fresh).toEqual([]);
  expect(counted.get("cdp_dedup_conflicts")).toBe(1);
  expect(counted.get("cdp_events_dedup_hits")).toBe(1);
});

test("a held event is known to duplicates, but its own replay passes", async () => {
  const hold = createHoldEvents({ history, now: () => Date.now(), retentionMs: 3_600_000 });
  await hold([{ item: anItem(5, { eventId: "e", held: "late" }), state: "quarantined", reason: "late", detail: "" }]);
  expect((await find()([anItem(6, { eventId: "e" })])).fresh).toEqual([]);
  const replay = anItem(7, { eventId: "e", replay: true });
  expect((await find()([replay])).fresh).toEqual([replay]);
});

test.each([
  ["the same event sent again", { held: "late" as const }, undefined],
  ["an event of that id that still waits", {}, 6],
])("a replay comes before %s", async (_, sentAgain, waitingAt) => {
  const hold = createHoldEvents({ history, now: () => Date.now(), retentionMs: 3_600_000 });
  await hold([{ item: anItem(5, { eventId: "e", held: "late" }), state: "quarantined", reason: "late", detail: "" }]);
  const [again, replay] = [anItem(6, { eventId: "e", ...sentAgain }), anItem(7, { eventId: "e", replay: true })];
  expect((await find(() => waitingAt)([again, replay])).fresh).toEqual([replay]);
});

test("a replay comes before the held event itself, of which history knows but not state", async () => {
  const hold = createHoldEvents({ history, now: () => Date.now(), retentionMs: 3_600_000 });
  const held = anItem(5, { eventId: "e", held: "late" });
  await hold([{ item: held, state: "quarantined", reason: "late", detail: "" }]);
  const replay = anItem(6, { eventId: "e", replay: true });
  expect((await find()([held, replay])).fresh).toEqual([replay]);
});

test("an event replayed twice is a duplicate the second time, whoever made its id", async () => {
  await inHistory(anItem(6, { eventId: "e", serverId: true, replay: true }));
  expect((await find()([anItem(7, { eventId: "e", serverId: true, replay: true })])).fresh).toEqual([]);
});

test("after a rebuild, memory knows what is held", async () => {
  const hold = createHoldEvents({ history, now: () => Date.now(), retentionMs: 3_600_000 });
  await hold([{ item: anItem(5, { eventId: "e", held: "late" }), state: "quarantined", reason: "late", detail: "" }]);
  await rebuildMemory(history, memory, () => false);
  expect((await find()([anItem(6, { eventId: "e" })])).fresh).toEqual([]);
});

test("after a rebuild, memory answers for new events and history for what it holds", async () => {
  const old = anItem(1, { eventId: "old" });
  await inHistory(old);
  await rebuildMemory(history, memory, () => false);
  expect(memory.complete).toBe(true);
  expect(memory.mayHave(old.key)).toBe(true);
  const fresh = anItem(2, { eventId: "new" });
  expect((await find()([fresh, anItem(3, { eventId: "old" })])).fresh).toEqual([fresh]);
});

test("a rebuild reads every page of events and of what each tenant holds", async () => {
  const hold = createHoldEvents({ history, now: () => Date.now(), retentionMs: 3_600_000 });
  const items = Array.from({ length: 11 }, (_, i) => anItem(i, { eventId: `${i}`, ts: t0 - i * 86_400_000, tenantId: 1 + (i % 2) }));
  const [written, held] = [items.slice(0, 5), items.slice(5)];
  for (const item of written) await inHistory(item);
  await hold(held.map((item) => ({ item, state: "quarantined" as const, reason: "late", detail: "" })));
  await rebuildMemory(history, memory, () => false, 2);
  expect(memory.complete).toBe(true);
  expect(items.filter((item) => !memory.mayHave(item.key))).toEqual([]);
});

test("a rebuild that is stopped proves nothing", async () => {
  for (let i = 0; i < 5; i++) await inHistory(anItem(i, { eventId: `${i}` }));
  let pages = 0;
  await rebuildMemory(history, memory, () => pages++ >= 2, 2);
  expect(memory.complete).toBe(false);
  expect((await find()([anItem(9, { eventId: "4" })])).fresh).toEqual([]);
});

test.each([["sent again under an older time", t0 - 400 * 86_400_000], ["sent again under a newer time", t0 + 86_400_000]])(
  "an id that memory knows from a rebuild is a duplicate, %s",
  async (_, ts) => {
    await inHistory(anItem(1, { eventId: "e", ts: t0 }));
    await rebuildMemory(history, memory, () => false);
    expect((await find()([anItem(2, { eventId: "e", ts })])).fresh).toEqual([]);
  },
);

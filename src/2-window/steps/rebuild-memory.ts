import type { History } from "../../stores/clickhouse/history.ts";
import { keyFromDecimal } from "../../core/event-key.ts";
import type { KeyMemory } from "./remember-keys.ts";

const pageRows = 50_000;

/**
 * Loads the fingerprints of the newest `keysMax` events (all, when history is smaller) and of the held ones page by page.
 * Until it is done, history decides for every event, so processing need not wait for it.
 */
export async function rebuildMemory(history: History, memory: KeyMemory, keysMax: number, stopped: () => boolean): Promise<void> {
  const from = await coveredFrom(history, keysMax);
  for (const table of ["events", "events_held"] as const) await loadKeys(history, memory, table, from, stopped);
  if (!stopped()) memory.rebuilt(from === 0 ? -Infinity : from);
}

async function loadKeys(history: History, memory: KeyMemory, table: "events" | "events_held", from: number, stopped: () => boolean): Promise<void> {
  let last = 0n;
  while (!stopped()) {
    const rows = await history.query<{ key: string; ts: number }>(
      `select toString(event_key) key, toUnixTimestamp64Milli(ts) ts from ${table}
        where event_key > {last:UInt128} and ts >= fromUnixTimestamp64Milli({from:Int64}) order by event_key limit {n:UInt32}`,
      { last, from, n: pageRows },
    );
    for (const row of rows) memory.remember(keyFromDecimal(row.key), row.ts);
    if (rows.length < pageRows) return;
    last = BigInt((rows.at(-1) as { key: string }).key);
  }
}

/** The time (ms) from which on history holds at most `keysMax` events, to the minute; 0 when it holds no more in all. */
async function coveredFrom(history: History, keysMax: number): Promise<number> {
  const days = await countPer(history, "toStartOfDay(ts)", {});
  const later = days.findIndex((_, at) => sumTo(days, at) > keysMax);
  const day = days[later];
  if (!day) return 0;
  const left = keysMax - sumTo(days, later - 1);
  const minutes = await countPer(history, "toStartOfMinute(ts)", { from: day.start, to: day.start + dayMs });
  const minute = minutes[minutes.findIndex((_, at) => sumTo(minutes, at) > left)];
  return minute ? minute.start + 60_000 : day.start + dayMs;
}

const dayMs = 86_400_000;
const sumTo = (counts: { n: number }[], last: number): number => counts.slice(0, last + 1).reduce((sum, { n }) => sum + n, 0);

/** Events per stretch of time, the newest first. */
function countPer(history: History, stretch: string, { from = 0, to = Number.MAX_SAFE_INTEGER }: { from?: number; to?: number }): Promise<{ start: number; n: number }[]> {
  return history.query(
    `select toUnixTimestamp(${stretch}) * 1000 start, count() n from events
      where toUnixTimestamp64Milli(ts) >= {from:Int64} and toUnixTimestamp64Milli(ts) < {to:Int64} group by start order by start desc`,
    { from, to },
  );
}

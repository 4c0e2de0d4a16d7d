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

/** The time (ms) from which on history holds at most `keysMax` events; 0 when it holds no more in all. */
async function coveredFrom(history: History, keysMax: number): Promise<number> {
  const days = await history.query<{ day: number; n: number }>(
    "select toUnixTimestamp(toStartOfDay(ts)) * 1000 day, count() n from events group by day order by day desc",
  );
  let sum = 0;
  for (const { day, n } of days) {
    sum += n;
    if (sum > keysMax) return day + 86_400_000;
  }
  return 0;
}

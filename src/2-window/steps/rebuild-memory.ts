import type { History } from "../../stores/clickhouse/history.ts";
import { keyFromDecimal } from "../../core/event-key.ts";
import type { KeyMemory } from "./remember-keys.ts";

const pageRows = 50_000;

/**
 * Loads the fingerprints of the newest `keysMax` events (all, when history is smaller) page by page. Until it is done,
 * history decides for every event, so processing need not wait for it.
 */
export async function rebuildMemory(history: History, memory: KeyMemory, keysMax: number, stopped: () => boolean): Promise<void> {
  const from = await coveredFrom(history, keysMax);
  let last = 0n;
  for (;;) {
    const rows = await history.query<{ key: string; ts: number }>(
      `select toString(event_key) key, toUnixTimestamp64Milli(ts) ts from events
        where event_key > {last:UInt128} and ts >= fromUnixTimestamp64Milli({from:Int64}) order by event_key limit {n:UInt32}`,
      { last, from, n: pageRows },
    );
    if (stopped()) return;
    for (const row of rows) memory.remember(keyFromDecimal(row.key), row.ts);
    if (rows.length < pageRows) break;
    last = BigInt((rows.at(-1) as { key: string }).key);
  }
  memory.rebuilt(from === 0 ? -Infinity : from);
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

import { setImmediate as letOthersRun } from "node:timers/promises";
import type { History } from "../../stores/clickhouse/history.ts";
import type { KeyMemory } from "./remember-keys.ts";

const pageKeysUsual = 100_000;
const keyDigits = 32;

/**
 * Loads the keys of all events, held ones included, page by page. Until it is done history decides for every event, so
 * processing need not wait for it; what comes into history meanwhile is remembered by whoever writes it.
 */
export async function rebuildMemory(history: History, memory: KeyMemory, stopped: () => boolean, pageKeys = pageKeysUsual): Promise<void> {
  await loadKeys("events where");
  for (const { tenant } of await history.query<{ tenant: number }>("select distinct tenant from events_held")) {
    await loadKeys("events_held where tenant = {tenant:UInt32} and", { tenant });
  }
  if (!stopped()) memory.rebuilt();

  async function loadKeys(from: string, params: Record<string, unknown> = {}): Promise<void> {
    let last = "0";
    while (!stopped()) {
      const page = await readPage(history, from, { ...params, last, n: pageKeys });
      await rememberAll(memory, page.keys);
      if (page.n < pageKeys) return;
      last = page.last;
    }
  }
}

/** A few milliseconds at a time. */
async function rememberAll(memory: KeyMemory, keys: string): Promise<void> {
  const stretch = 10_000 * keyDigits;
  for (let from = 0; from < keys.length; from += stretch) {
    const to = Math.min(from + stretch, keys.length);
    for (let at = from; at < to; at += keyDigits) memory.remember(keys.slice(at, at + keyDigits));
    await letOthersRun();
  }
}

interface Page {
  /** Keys one after the other, 32 hex digits each: as rows of their own they cost three times as much. */
  keys: string;
  /** The largest, in decimal. */
  last: string;
  n: number;
}

async function readPage(history: History, from: string, params: Record<string, unknown>): Promise<Page> {
  const [page] = await history.query<Page>(
    `select arrayStringConcat(groupArray(leftPad(hex(event_key), ${keyDigits}, '0'))) keys, toString(max(event_key)) last, count() n
       from (select event_key from ${from} event_key > {last:UInt128} order by event_key limit {n:UInt32})`,
    params,
  );
  return page as Page;
}

import type { Logger } from "../../contracts/logger.ts";
import type { Meters } from "../../contracts/meters.ts";
import type { PipelineEvent, SeenEvent } from "../../contracts/pipeline-event.ts";
import { keyFromDecimal } from "../../core/event-key.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import type { RecentRows } from "./recent-rows.ts";
import type { KeyMemory } from "./remember-keys.ts";

interface Deps {
  history: History;
  memory: KeyMemory;
  recent: RecentRows;
  /** Position at which an event of this key still waits in the window. */
  waitingAt(key: string): number | undefined;
  /** Positions at which events of these keys were handed out that are not in state. */
  carriedAt(keys: ReadonlySet<string>): Map<string, number>;
  meters: Meters;
  log: Logger;
}

/** The copies of these keys that are on their way into history and may not be found there yet. */
export type OnTheirWay = (keys: ReadonlySet<string>) => Map<string, SeenEvent>;

/**
 * Splits a batch into first and repeated events. The smallest log position of a key is the first; its content stands. A replay
 * stands for the copy that was held, so it comes before every other copy, wherever that waits; and before all comes the copy
 * that history has already as an event, written by a try that did not reach state. `again` for a batch behind which others were
 * handed out: an earlier copy, which waited in the window before, may be among those.
 */
export function createFindDuplicates(deps: Deps) {
  return async function findDuplicates(batch: PipelineEvent[], onTheirWay: OnTheirWay = () => new Map(), again = false): Promise<{ fresh: PipelineEvent[]; repeated: PipelineEvent[] }> {
    const copies = findCopies(batch);
    const asked = batch.filter((item) => {
      const all = copies.get(item.key);
      return all === undefined ? mustAsk(deps.memory, item) : all[0] === item;
    });
    // Taken before history is asked: what arrives there meanwhile is then found in one of the two.
    const known = onTheirWay(new Set(asked.map((item) => item.key)));
    for (const { key } of asked) {
      const row = deps.recent.find(key);
      if (row) known.set(key, row);
    }
    // A row that is known to be applied decides; one that is held, or none, leaves open what else history has.
    const inHistory = await lookUp(deps.history, asked.filter(({ key }) => known.get(key)?.held !== false), batch);
    for (const [key, row] of known) inHistory.set(key, [...(inHistory.get(key) ?? []), row]);
    const carried = again ? deps.carriedAt(new Set(batch.map((item) => item.key))) : none;
    const fresh: PipelineEvent[] = [];
    const repeated: PipelineEvent[] = [];
    for (const item of batch) {
      const found = inHistory.get(item.key) ?? nothing;
      const all = copies.get(item.key);
      const first = all === undefined ? item : firstOf(all, found);
      const waiting = item.event.replay || found.some((row) => isRowOf(row, item)) ? Infinity : Math.min(carried.get(item.key) ?? Infinity, deps.waitingAt(item.key) ?? Infinity);
      const earlier = first !== item ? first : found.find((row) => repeats(row, item));
      if (earlier || waiting < item.position) repeated.push(item);
      else fresh.push(item);
      if (earlier && earlier.contentHash !== item.contentHash) noteConflict(deps, item);
    }
    deps.meters.add("cdp_events_dedup_hits", repeated.length);
    return { fresh, repeated };
  };
}

const nothing: SeenEvent[] = [];
const none: ReadonlyMap<string, number> = new Map();

/** The events of keys that the batch has more than once. */
function findCopies(batch: PipelineEvent[]): Map<string, PipelineEvent[]> {
  const single = new Map<string, PipelineEvent>();
  const copies = new Map<string, PipelineEvent[]>();
  for (const item of batch) {
    const other = single.get(item.key);
    const all = copies.get(item.key);
    if (other === undefined) single.set(item.key, item);
    else if (all === undefined) copies.set(item.key, [other, item]);
    else all.push(item);
  }
  return copies;
}

function firstOf(copies: PipelineEvent[], found: SeenEvent[]): PipelineEvent {
  const written = copies.find((item) => found.some((row) => !row.held && isRowOf(row, item)));
  return written ?? copies.reduce((first, item) => (comesBefore(item, first) ? item : first));
}

const isRowOf = (row: SeenEvent, item: PipelineEvent): boolean => row.partition === item.partition && row.position === item.position;

const isReplay = ({ event }: PipelineEvent): boolean => event.replay === true;
const comesBefore = (a: PipelineEvent, b: PipelineEvent): boolean => (isReplay(a) === isReplay(b) ? a.position < b.position : isReplay(a));

/** An id that the server made comes again only by being replayed: while not all keys are known, its event itself need not be asked about. */
const mustAsk = (memory: KeyMemory, { key, event }: PipelineEvent): boolean =>
  memory.mayHave(key) || (!memory.complete && (!event.serverId || event.replay === true));

/** A row is a duplicate only if its log position is another one; a replayed event ignores the row that held it. */
const repeats = (found: SeenEvent, item: PipelineEvent): boolean =>
  (found.partition !== item.partition || found.position !== item.position) && !(found.held && item.event.replay);

function noteConflict(deps: Deps, item: PipelineEvent): void {
  deps.meters.add("cdp_dedup_conflicts");
  deps.log.warn({ tenant: item.event.tenantId, source: item.event.sourceId, key: item.key }, "dedup_conflict: same eventId, other content");
}

const lookUpMax = 5000;

async function lookUp(history: History, items: PipelineEvent[], batch: PipelineEvent[]): Promise<Map<string, SeenEvent[]>> {
  const found = new Map<string, SeenEvent[]>();
  const tenants = [...new Set(batch.map((item) => item.event.tenantId))];
  for (let from = 0; from < items.length; from += lookUpMax) {
    const some = items.slice(from, from + lookUpMax);
    const params = { keys: some.map((item) => BigInt(`0x${item.key}`)), tenants };
    const rows = await history.query<{ key: string; partition: number; position: number; contentHash: number; held: boolean }>(
      `select toString(event_key) key, log_partition partition, log_pos position, content_hash contentHash, false held
         from events where event_key in {keys:Array(UInt128)}
       union all
       select toString(event_key), log_partition, log_pos, content_hash, true
         from events_held where tenant in {tenants:Array(UInt32)} and event_key in {keys:Array(UInt128)}`,
      params,
    );
    for (const row of rows) {
      const key = keyFromDecimal(row.key);
      found.set(key, [...(found.get(key) ?? []), row]);
    }
  }
  return found;
}

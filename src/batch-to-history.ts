import type { LogRecord } from "./contracts/event-log.ts";
import type { Held, PipelineEvent, SeenEvent } from "./contracts/pipeline-event.ts";
import type { Delta } from "./4-profile/index.ts";
import { decodeBatch } from "./core/decode-batch.ts";
import { type Laps, startLaps } from "./laps.ts";
import type { PipelineDeps } from "./pipeline-deps.ts";

/** A batch on its way. */
export interface Prepared {
  records: LogRecord[];
  good: PipelineEvent[];
  /** What is kept without being applied. */
  held: Held[];
  deltas: Delta[];
  laps: Laps;
}

export interface ToHistory {
  /**
   * Works out what a batch means: which events are new, whose they are, and what they add. Writes nothing but new identities. `again` for
   * one of which a try may have failed.
   */
  prepare(records: LogRecord[], again?: boolean): Promise<Prepared>;
  /** Writes a batch, `again` without what of it history has since a try before. */
  insert(prepared: Prepared, again?: boolean): Promise<void>;
  /** Forgets what is on its way, because that failed: what of it arrived is found in history. */
  startOver(): void;
  /** Notes that records are in state, or about to be buried. */
  forget(records: LogRecord[]): void;
}

export function createToHistory(deps: PipelineDeps): ToHistory {
  const { partition, meters } = deps;
  /** Batches on their way into history: for duplicates their events are there already. */
  const underway = new Set<Prepared>();
  const onTheirWay = (keys: ReadonlySet<string>): Map<string, SeenEvent> => findAmong(underway, keys);

  async function prepare(records: LogRecord[], again = false): Promise<Prepared> {
    const laps = startLaps();
    const wanted = records.filter((record) => !partition.positions.has(record.position));
    const { items, broken } = await decodeBatch(partition.partitionId, wanted);
    laps.end("decode");
    const { fresh } = await deps.window.findDuplicates(items, onTheirWay, again);
    const live = fresh.filter((item) => !item.event.held);
    const late = fresh.filter((item) => item.event.held).map((item): Held => ({ item, state: "quarantined", reason: "late", detail: "" }));
    await deps.reached("deduplicated", live);
    laps.end("duplicates");

    const identities = await deps.resolve.mint(live.map((item) => item.event));
    live.forEach((item, at) => (item.identities = identities[at] ?? []));
    await deps.reached("minted", live);
    laps.end("resolve");
    const { deltas, failed } = deps.profile.fold(live);
    await deps.reached("folded", live);
    laps.end("fold");

    const rejected = [...broken, ...failed].map(({ item, error }) => rejection(item, error));
    const dead = new Set(rejected.map((held) => held.item));
    const good = dead.size === 0 ? live : live.filter((item) => !dead.has(item));
    const held = [...late, ...rejected];
    // Before the insert: of one that fails half-way history may have rows, and a memory that knows too much only asks it.
    deps.window.remember([...good, ...held.map((one) => one.item)]);
    const prepared = { records: wanted, good, held, deltas, laps };
    underway.add(prepared);
    return prepared;
  }

  async function insert(prepared: Prepared, again = false): Promise<void> {
    const { good, held, laps } = prepared;
    const rows = await notInHistory(good, again);
    requireLease(deps);
    await deps.window.hold(held);
    await deps.profile.writeHistory(rows);
    deps.window.arrived(good);
    await deps.reached("history-written", good);
    laps.end("history");
    underway.delete(prepared);
    meters.add("cdp_events_dead_lettered", held.filter((one) => one.state === "rejected").length);
  }

  /** Leaves out the rows that a process before this one, or a try that failed, has written. */
  async function notInHistory(items: PipelineEvent[], again: boolean): Promise<PipelineEvent[]> {
    const there = again && items.length > 0 ? await deps.profile.positionsInHistory(partition.partitionId, items.map((item) => item.position)) : deps.inHistory;
    return there.size === 0 ? items : items.filter(({ position }) => !there.has(position));
  }

  return {
    prepare,
    insert,
    startOver: () => underway.clear(),
    forget(records) {
      if (deps.inHistory.size > 0) for (const { position } of records) deps.inHistory.delete(position);
    },
  };
}

function findAmong(batches: Iterable<Prepared>, keys: ReadonlySet<string>): Map<string, SeenEvent> {
  const found = new Map<string, SeenEvent>();
  for (const { good, held } of batches) {
    for (const item of good) if (keys.has(item.key)) found.set(item.key, seen(item, false));
    for (const { item } of held) if (keys.has(item.key)) found.set(item.key, seen(item, true));
  }
  return found;
}

/** Right before writing: whether the lease lasted when the batch was begun is long ago for a process that stood still. */
function requireLease({ holds }: PipelineDeps): void {
  if (!holds()) throw new Error("the lease of the log partition has run out");
}

const seen = ({ partition, position, contentHash }: PipelineEvent, held: boolean): SeenEvent => ({ partition, position, contentHash, held });

/** An event that is kept, but not applied, because no step could take it. */
export const rejection = (item: PipelineEvent, error: unknown): Held => ({ item, state: "rejected", reason: "not_processable", detail: String(error) });

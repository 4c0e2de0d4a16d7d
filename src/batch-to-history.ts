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
  deltas: Map<string, Delta>;
  laps: Laps;
}

export interface ToHistory {
  /** Works out what a batch means: which events are new, whose they are, and what they add. Writes nothing but new identities. */
  prepare(records: LogRecord[]): Promise<Prepared>;
  insert(prepared: Prepared): Promise<void>;
  /** Notes that records need not be known as on their way any more: they are in state, or about to be buried. */
  forget(records: LogRecord[], keys: string[]): void;
}

export function createToHistory(deps: PipelineDeps): ToHistory {
  const { partition, meters } = deps;
  /** Positions that history may have and state has not, because this process came so far with them. */
  const attempted = new Set<number>();
  /** Events on their way into history, by key: for duplicates they are there already. */
  const unwritten = new Map<string, SeenEvent>();

  async function prepare(records: LogRecord[]): Promise<Prepared> {
    const laps = startLaps();
    const wanted = records.filter((record) => !partition.positions.has(record.position));
    const { items, broken } = await decodeBatch(partition.partitionId, wanted);
    const { fresh } = await deps.window.findDuplicates(items, (key) => unwritten.get(key));
    const live = fresh.filter((item) => !item.event.held);
    const late = fresh.filter((item) => item.event.held).map((item): Held => ({ item, state: "quarantined", reason: "late", detail: "" }));
    await deps.reached("deduplicated", live);
    laps.end("duplicatesMs");

    const identities = await deps.resolve.mint(live.map((item) => item.event));
    live.forEach((item, at) => (item.identities = identities[at] ?? []));
    await deps.reached("minted", live);
    laps.end("mintMs");
    const { deltas, failed } = deps.profile.fold(live);
    await deps.reached("folded", live);
    laps.end("foldMs");

    const rejected = [...broken, ...failed].map(({ item, error }) => rejection(item, error));
    const dead = new Set(rejected.map((held) => held.item));
    const good = live.filter((item) => !dead.has(item));
    const held = [...late, ...rejected];
    // Before the insert: of one that fails half-way history may have rows, and a memory that knows too much only asks it.
    deps.window.remember([...good, ...held.map((one) => one.item)]);
    for (const item of good) unwritten.set(item.key, seen(item, false));
    for (const { item } of held) unwritten.set(item.key, seen(item, true));
    return { records: wanted, good, held, deltas, laps };
  }

  async function insert({ good, held, laps }: Prepared): Promise<void> {
    await deps.window.hold(held);
    await deps.profile.writeHistory(await notInHistory(good));
    await deps.reached("history-written", good);
    laps.end("historyMs");
    // What is known to be in history need not be remembered as on its way.
    for (const item of good) unwritten.delete(item.key);
    for (const { item } of held) unwritten.delete(item.key);
    meters.add("cdp_events_dead_lettered", held.filter((one) => one.state === "rejected").length);
  }

  /** Leaves out the rows that a process before this one, or a try that failed, has written. */
  async function notInHistory(items: PipelineEvent[]): Promise<PipelineEvent[]> {
    const doubtful = items.map((item) => item.position).filter((position) => attempted.has(position));
    for (const { position } of items) attempted.add(position);
    const there = doubtful.length === 0 ? new Set() : await deps.profile.positionsInHistory(partition.partitionId, doubtful);
    return items.filter((item) => !there.has(item.position) && !deps.inHistory.has(item.position));
  }

  return {
    prepare,
    insert,
    forget(records, keys) {
      for (const { position } of records) {
        attempted.delete(position);
        deps.inHistory.delete(position);
      }
      for (const key of keys) unwritten.delete(key);
    },
  };
}

const seen = ({ partition, position, contentHash }: PipelineEvent, held: boolean): SeenEvent => ({ partition, position, contentHash, held });

/** An event that is kept, but not applied, because no step could take it. */
export const rejection = (item: PipelineEvent, error: unknown): Held => ({ item, state: "rejected", reason: "not_processable", detail: String(error) });

import { setImmediate as letOthersRun } from "node:timers/promises";
import type { EventLog, LogRecord } from "../../contracts/event-log.ts";
import { keyWord } from "../../core/event-key.ts";
import { decodeHead, type RecordHead } from "../../core/log-record.ts";
import type { OrderBuffer } from "./order-events.ts";

interface Deps {
  log: EventLog;
  shard: number;
  /** First position to read. */
  from: number;
  /** First position that is not in state. */
  lowWater(): number;
  /** True for positions that are already in state. */
  isDone(position: number): boolean;
  buffer: OrderBuffer;
  windowMs: number;
  batchMax: number;
  batchBytesMax: number;
  onEarlyRelease(count: number): void;
}

/** Reads one partition of the log through its window: batches come out in the order in which they are to be processed. */
export interface LogReader {
  /** The next batch; empty when nothing is due at `now`. A batch not processed must be kept by the caller. */
  next(now: number): Promise<LogRecord[]>;
  /** Accepted events that no batch has carried yet. */
  backlog(): number;
  /** Of these keys that batches have carried which are not in state, each with the smallest position. */
  carriedAt(keys: ReadonlySet<string>): Map<string, number>;
  /** Which of these keys still wait: in the window, in the last batch, or among at most `scanMax` records not read yet. */
  findWaiting(keys: string[], scanMax: number): Promise<Set<string>>;
}

const chunkRecords = 2000;
const chunkBytes = 8_000_000;
/** How far reading may run ahead of what is in state: the positions between cost a bit each, at every commit. */
const aheadMax = 2_000_000;
/** How far live events are looked for behind an import: 8 bytes each. */
const immediateMax = 200_000;
/** Live events go first, but an import never starves. */
const windowShare = 0.75;

export function createLogReader(deps: Deps): LogReader {
  const { log, shard, buffer, batchMax } = deps;
  let readAt = deps.from;
  const clock = createLogClock(deps.windowMs);
  const immediate: number[] = [];
  let carried: number[] = [];
  /** Handed out and not in state: on their way, and nowhere else to be found. */
  let underway: LogRecord[] = [];

  const ripeness = createRipeness();
  /** Of a chunk that failed half-way the first part has been noted. */
  let notedTo = deps.from;
  const wait = ({ ts, key }: RecordHead, position: number): void => {
    buffer.add(ts, position, keyWord(key, 0), keyWord(key, 1), keyWord(key, 2), keyWord(key, 3));
    ripeness.add(ts);
  };
  const note = (position: number, bytes: Uint8Array): void => {
    if (position < notedTo) return;
    notedTo = position + 1;
    if (deps.isDone(position)) return;
    const head = headOf(bytes);
    if (head && !head.replay) clock.advance(head.receivedAt);
    if (!head || head.immediate) immediate.push(position);
    else wait(head, position);
  };

  const readAhead = async (): Promise<boolean> => {
    while (ripeness.count < batchMax * 2 && !buffer.full && immediate.length < immediateMax && readAt - deps.lowWater() < aheadMax) {
      const next = await log.scan(shard, readAt, chunkRecords, note);
      if (next === readAt) return true;
      readAt = next;
      ripeness.advance(clock.watermark);
      await letOthersRun();
    }
    return false;
  };
  const fromWindow = (watermark: number, max: number): number[] => {
    const { positions, early } = buffer.release(watermark, Math.max(0, Math.floor(max)));
    if (early > 0) deps.onEarlyRelease(early);
    ripeness.released(positions.length, positions.length < Math.floor(max));
    return positions;
  };

  return {
    async next(now) {
      underway = underway.filter((record) => !deps.isDone(record.position));
      if (await readAhead()) clock.advance(now);
      if (carried.length === 0) {
        const { watermark } = clock;
        carried = fromWindow(watermark, batchMax * windowShare);
        carried.push(...immediate.splice(0, batchMax - carried.length));
        carried.push(...fromWindow(watermark, batchMax - carried.length));
        if (buffer.size === 0) clock.settle();
      }
      // Carried until they are read: a read that fails loses none, and none is missing from the backlog meanwhile.
      const { records, rest } = await fetch(log, shard, carried, deps.batchBytesMax);
      carried = rest;
      underway.push(...records);
      return records;
    },
    backlog: () => log.head(shard) - readAt + buffer.size + immediate.length + carried.length,
    carriedAt: (keys) => placesOf(keys, underway.filter((record) => !deps.isDone(record.position))),
    findWaiting(keys, scanMax) {
      const waiting = keys.filter((key) => buffer.positionOf(key) !== undefined);
      // Taken before anything is waited for: what is read on meanwhile is then found by the scan.
      return scanLog(deps, keys, { waiting, underway, positions: [...carried, ...immediate], from: readAt, to: readAt + scanMax });
    },
  };
}

/** The smallest position of each of these keys. */
function placesOf(keys: ReadonlySet<string>, records: readonly LogRecord[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { position, bytes } of records) {
    const key = headOf(bytes)?.key;
    if (key !== undefined && keys.has(key)) found.set(key, Math.min(position, found.get(key) ?? position));
  }
  return found;
}

/** Log time: that of the latest record read. What is a window behind it is due. */
function createLogClock(windowMs: number) {
  let now = -Infinity;
  /** The machine's clock was set back: what waits by the old clock would hold up the log until the new one catches up. */
  let wentBack = false;
  return {
    get now() {
      return now;
    },
    get watermark() {
      return wentBack ? Infinity : now - windowMs;
    },
    advance(time: number): void {
      if (time < now - windowMs) wentBack = true;
      now = wentBack ? time : Math.max(now, time);
    },
    /** Nothing waits by the old clock any more. */
    settle(): void {
      wentBack = false;
    },
  };
}

/** Events of so many milliseconds are counted together. */
const countedMs = 100;

/**
 * Counts the waiting events that the watermark has passed, so that a long backlog is read no further than to the next batches. What
 * is counted is right to a tenth of a second; where events left early, one batch is smaller.
 */
function createRipeness() {
  const waiting = new Map<number, number>();
  let reached = -Infinity;
  let ripe = 0;
  return {
    get count() {
      return ripe;
    },
    add(ts: number): void {
      const at = Math.floor(ts / countedMs);
      if (at < reached) ripe++;
      else waiting.set(at, (waiting.get(at) ?? 0) + 1);
    },
    advance(watermark: number): void {
      const to = Math.floor(watermark / countedMs);
      if (to === reached) return;
      reached = to;
      for (const [at, count] of waiting) {
        if (at >= to) continue;
        ripe += count;
        waiting.delete(at);
      }
    },
    /** `isAll`: fewer than were asked for, so that none is left. */
    released(count: number, isAll: boolean): void {
      ripe -= count;
      if (isAll) ripe = Math.min(ripe, 0);
    },
  };
}

interface Places {
  /** Keys that are known to wait. */
  waiting: string[];
  underway: LogRecord[];
  /** Read, but not handed out. */
  positions: number[];
  /** Not read yet. */
  from: number;
  to: number;
}

/** Looks for keys wherever an event can be between the log and its batch, letting others run in between. */
async function scanLog({ log, shard, isDone }: Deps, keys: string[], { waiting, underway, positions, from, to }: Places): Promise<Set<string>> {
  const found = new Set(waiting);
  const wanted = new Set(keys);
  const look = (records: LogRecord[]): void => {
    for (const record of records) {
      const key = headOf(record.bytes)?.key;
      if (key !== undefined && wanted.has(key)) found.add(key);
    }
  };
  look(underway);
  for (let at = 0; at < positions.length; at += chunkRecords) {
    // What is in state by now may have been dropped, and is found where it went.
    look(await log.readAt(shard, positions.slice(at, at + chunkRecords).filter((position) => !isDone(position))));
    await letOthersRun();
  }
  for (let at = from; at < to; ) {
    const records = await log.read(shard, at, chunkRecords, chunkBytes);
    const last = records.at(-1);
    if (!last) break;
    look(records);
    await letOthersRun();
    at = last.position + 1;
  }
  return found;
}

/** A record whose head cannot be read goes on at once, to be dead-lettered where the outcome is recorded. */
function headOf(bytes: Uint8Array): ReturnType<typeof decodeHead> | undefined {
  try {
    return decodeHead(bytes);
  } catch {
    return undefined;
  }
}

/** At the largest size of an event a batch is then about as large as it may be. */
const fetchRecords = 100;

/** Reads records at these positions until the batch is large enough; the rest is for the next batch. */
async function fetch(log: EventLog, shard: number, positions: number[], bytesMax: number): Promise<{ records: LogRecord[]; rest: number[] }> {
  const records: LogRecord[] = [];
  let bytes = 0;
  let at = 0;
  while (at < positions.length && bytes < bytesMax) {
    const some = await log.readAt(shard, positions.slice(at, at + fetchRecords));
    for (const record of some) bytes += record.bytes.length;
    records.push(...some);
    at += some.length;
  }
  return { records, rest: positions.slice(at) };
}

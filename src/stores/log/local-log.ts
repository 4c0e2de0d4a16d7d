import type { EventLog, LogRecord } from "../../contracts/event-log.ts";
import type { Clock } from "../../core/clock.ts";
import { createLogId, readLogId } from "./log-id.ts";
import { createRecordKeeper } from "./keep-records.ts";
import { createLogWriter } from "./log-writer.ts";
import { recoverSegments } from "./segment-directories.ts";
import { openSegmentList } from "./segment-list.ts";
import type { SegmentList } from "./segment-list.ts";
import { createEmptySegment, flushSegment } from "./segment.ts";

/**
 * Encrypting the log will be an option here: records sealed on their way into a segment and opened on their way out.
 * LMDB's own `encryptionKey` is no candidate: it takes text only, and a wrong key ends the process.
 */
export interface LocalLogOptions {
  /** Directory of the log, made when missing. One process at a time. */
  dir: string;
  /** A segment whose file has grown to this size takes no further append. */
  segmentBytesMax?: number;
  /** A segment whose first record is this old takes no further append. Default 10 minutes. */
  segmentAgeMsMax?: number;
  clock: Clock;
}

const firstPosition = 1;

function refuseOtherShards(shard: number): void {
  if (shard !== 0) throw new RangeError(`the local log has only shard 0, not ${shard}`);
}

async function recoverLog(dir: string, segmentBytesMax: number): Promise<{ logId: string; list: SegmentList }> {
  const kept = await recoverSegments(dir);
  const isNew = kept.length === 0;
  const logId = isNew ? await createLogId(dir) : await readLogId(dir);
  if (isNew) await createEmptySegment(dir, firstPosition);
  const firsts = isNew ? [firstPosition] : kept;
  // What a killed process had committed may not be on disk yet: nobody may act on a record that a power cut could take back.
  await flushSegment(dir, Math.max(...firsts));
  return { logId, list: openSegmentList(dir, firsts, Math.ceil(segmentBytesMax * 1.25) + 256_000_000) };
}

/** What was read of a segment stays mapped until the segment is closed, and counts as memory of the process. */
export const segmentBytesUsual = 64_000_000;

/**
 * Opens the event log that lives in a directory: segments, each an LMDB environment in a directory named by its first position.
 * The newest is never removed, so its name keeps positions from being given twice. One shard, number 0.
 * Bytes handed to `append` must not change before it resolves. An append that is rejected took no position.
 */
export async function openLocalLog(options: LocalLogOptions): Promise<EventLog> {
  const { dir, clock, segmentBytesMax = segmentBytesUsual, segmentAgeMsMax = 600_000 } = options;
  const { logId, list } = await recoverLog(dir, segmentBytesMax);
  const keep = createRecordKeeper();
  const writer = createLogWriter(list, { segmentBytesMax, segmentAgeMsMax }, clock);

  function readRecord(position: number): LogRecord {
    if (position >= writer.head()) throw new RangeError(`the log has no position ${position} yet, its head is ${writer.head()}`);
    return { position, bytes: keep(list.peek(position)) };
  }

  return {
    logId,
    shards: [0],
    head(shard) {
      refuseOtherShards(shard);
      return writer.head();
    },
    async append(shard, records) {
      refuseOtherShards(shard);
      return writer.append(records);
    },
    async read(shard, from, recordsMax, bytesMax) {
      refuseOtherShards(shard);
      await writer.readable();
      const records: LogRecord[] = [];
      let bytes = 0;
      for (let position = Math.max(from, list.oldest().first); position < writer.head(); position++) {
        if (records.length >= recordsMax || bytes >= bytesMax) break;
        const record = readRecord(position);
        bytes += record.bytes.length;
        records.push(record);
      }
      return records;
    },
    async scan(shard, from, recordsMax, visit) {
      refuseOtherShards(shard);
      await writer.readable();
      const first = Math.max(from, list.oldest().first);
      const end = Math.min(writer.head(), first + recordsMax);
      for (let position = first; position < end; position++) visit(position, list.peek(position));
      return first < end ? end : from;
    },
    async readAt(shard, positions) {
      refuseOtherShards(shard);
      await writer.readable();
      return positions.map(readRecord);
    },
    async dropBelow(shard, position) {
      refuseOtherShards(shard);
      await writer.rollWhenDone(position);
      await list.dropBelow(position);
    },
    stats: () => ({ bytes: list.bytes(), oldestAt: list.oldest().firstAt() }),
    check: writer.probe,
    close: writer.close,
  };
}

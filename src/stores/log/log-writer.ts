import type { Clock } from "../../core/clock.ts";
import { createGroupCommit } from "./group-commit.ts";
import { createOneAtATime } from "./one-at-a-time.ts";
import type { SegmentList } from "./segment-list.ts";

const groupRecordsMax = 20_000;
const groupBytesMax = 16_000_000;

/** What a segment may become before the next one is begun. */
export interface SegmentLimits {
  segmentBytesMax: number;
  segmentAgeMsMax: number;
}

/** The only writer of a log: gives positions, begins segments, and repairs the newest one after a write that failed. */
export interface LogWriter {
  /** The position that the next record will get; every position below it is on disk. */
  head(): number;
  append(records: readonly Uint8Array[]): Promise<number>;
  /** Begins a new segment when all of a full one is below `position`, so that an idle log does not keep what was processed. */
  rollWhenDone(position: number): Promise<void>;
  probe(): Promise<void>;
  /** Resolves when the newest segment can be read: it is closed for a moment while it is repaired. */
  readable(): Promise<void>;
  close(): Promise<void>;
}

export function createLogWriter(list: SegmentList, limits: SegmentLimits, clock: Clock): LogWriter {
  const oneAtATime = createOneAtATime();
  let head = list.newest().readNext();
  let isClosed = false;
  let hasFailed = false;
  let repaired: Promise<void> = Promise.resolve();

  async function repair(): Promise<void> {
    await list.newest().reopen();
    head = list.newest().readNext();
    hasFailed = false;
  }

  async function write(work: () => Promise<void>): Promise<void> {
    if (hasFailed) await (repaired = repair());
    try {
      await work();
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  }

  function isFull(): boolean {
    const segment = list.newest();
    const firstAt = segment.firstAt();
    if (firstAt === undefined) return false;
    return segment.bytes() >= limits.segmentBytesMax || clock.now() - firstAt >= limits.segmentAgeMsMax;
  }

  async function commit(records: readonly Uint8Array[]): Promise<number> {
    await write(async () => {
      if (isFull()) await list.add(head);
      await list.newest().append(head, records, clock.now());
      head += records.length;
    });
    return head - records.length;
  }

  const appendInGroup = createGroupCommit({ oneAtATime, commit, recordsMax: groupRecordsMax, bytesMax: groupBytesMax });

  return {
    head: () => head,
    async append(records) {
      if (isClosed) throw new Error("the log is closed");
      if (!records.every((record) => record instanceof Uint8Array)) throw new TypeError("a log record is a Uint8Array");
      return records.length === 0 ? head : appendInGroup(records);
    },
    async rollWhenDone(position) {
      const isDone = (): boolean => position >= head && isFull();
      if (isDone()) await oneAtATime(() => write(async () => (isDone() ? list.add(head) : undefined)));
    },
    probe: () => oneAtATime(() => write(() => list.newest().probe(clock.now()))),
    readable: () => repaired,
    async close() {
      isClosed = true;
      await oneAtATime(() => list.close());
    },
  };
}

import { createOneAtATime } from "./one-at-a-time.ts";
import { removeSegment } from "./segment-directories.ts";
import { createEmptySegment, openSegment } from "./segment.ts";
import type { Segment } from "./segment.ts";

/** The segments of a log in the order of their positions; each ends where the next begins. There is always one. */
export interface SegmentList {
  oldest(): Segment;
  newest(): Segment;
  /** The record, not copied: its bytes hold until anything else is read. Throws when no segment has it. */
  peek(position: number): Uint8Array;
  /** Adds an empty segment for the positions from `first` on, and lets go of the one that was the newest. Changes nothing when it fails. */
  add(first: number): Promise<void>;
  /** Takes the segments that end at or below `position` out and removes them from disk, oldest first; never the newest. */
  dropBelow(position: number): Promise<void>;
  bytes(): number;
  close(): Promise<void>;
}

/** Opens the segments that begin at `firsts`, ascending and not empty. */
export function openSegmentList(dir: string, firsts: readonly number[], mapSizeBytes: number): SegmentList {
  const segments = firsts.map((first) => openSegment(dir, first, mapSizeBytes));
  const removeInOrder = createOneAtATime();

  function at(index: number): Segment {
    const segment = segments.at(index);
    if (segment === undefined) throw new Error("a log without segments");
    return segment;
  }

  /** Takes out the oldest segment if all of it lies below. */
  function takeBelow(position: number): Segment | undefined {
    const [, second] = segments;
    return second && second.first <= position ? segments.shift() : undefined;
  }

  function found(position: number, record: Uint8Array | undefined): Uint8Array {
    if (record === undefined) throw new Error(`the log has no record at position ${position}`);
    return record;
  }
  const of = (position: number): Segment | undefined => segments.findLast((segment) => segment.first <= position);

  return {
    oldest: () => at(0),
    newest: () => at(-1),
    peek: (position) => found(position, of(position)?.peek(position)),
    async add(first) {
      await createEmptySegment(dir, first);
      const full = at(-1);
      segments.push(openSegment(dir, first, mapSizeBytes));
      await full.release();
    },
    async dropBelow(position) {
      for (let segment = takeBelow(position); segment; segment = takeBelow(position)) {
        const taken = segment;
        await removeInOrder(async () => {
          await taken.close();
          await removeSegment(dir, taken.first);
        });
      }
    },
    bytes: () => segments.reduce((sum, segment) => sum + segment.bytes(), 0),
    async close() {
      await removeInOrder(async () => {
        for (const segment of segments) await segment.close();
      });
    },
  };
}

import { statSync } from "node:fs";
import { join } from "node:path";
import { openEnvironment } from "./environment.ts";
import type { Environment, EnvironmentKey } from "./environment.ts";
import { createSegment, flush, segmentPath } from "./segment-directories.ts";

const dataFile = "data.mdb";
const emptyMapBytes = 1_048_576;
const firstAtKey = Symbol.for("firstAt");
const probeKey = Symbol.for("probe");

/** The typings leave out that `put` takes LMDB's flags; MDB_APPEND packs pages full and refuses a position that is there. */
interface Appendable {
  put(key: EnvironmentKey, value: Uint8Array, flags: { append: true }): Promise<boolean>;
}

/** A run of positions from `first` on, in one LMDB environment: position → record, and two small values under symbols. */
export interface Segment {
  readonly first: number;
  /** Size of the file after the last write. */
  bytes(): number;
  /** When the first record was appended, or undefined while the segment is empty. */
  firstAt(): number | undefined;
  /** The position after the last record. */
  readNext(): number;
  /** The record, not copied: its bytes hold until anything else is read. Undefined when the segment has no such position. */
  peek(position: number): Uint8Array | undefined;
  /** Writes all records, the first at `position`, in one transaction. */
  append(position: number, records: readonly Uint8Array[], now: number): Promise<void>;
  /** Writes and reads a value of its own. */
  probe(now: number): Promise<void>;
  /** Opens the environment anew after a write failed. */
  reopen(): Promise<void>;
  /** Closes the environment until it is used again: what was written through it is mapped, and counts as memory. */
  release(): Promise<void>;
  close(): Promise<void>;
}

function encodeTime(ms: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(ms);
  return bytes;
}

/** Makes an empty segment on disk. */
export const createEmptySegment = (dir: string, first: number): Promise<void> =>
  createSegment(dir, first, async (path) => {
    await openEnvironment(path, emptyMapBytes).close();
    await flush(join(path, dataFile));
  });

/** Brings to disk what a killed process had committed, so that nobody acts on a record that a power cut could still take back. */
export const flushSegment = (dir: string, first: number): Promise<void> => flush(join(segmentPath(dir, first), dataFile));

/** Opens a segment; its environment only when it is first used, because a long backlog has many segments. */
export function openSegment(dir: string, first: number, mapSizeBytes: number): Segment {
  const path = segmentPath(dir, first);
  const measure = (): number => statSync(join(path, dataFile)).size;
  let bytes = measure();
  let opened: Environment | undefined;
  let isClosed = false;
  let firstAt: { known: number | undefined } | undefined;

  function environment(): Environment {
    if (isClosed) throw new Error(`${path} is closed`);
    return (opened ??= openEnvironment(path, mapSizeBytes));
  }

  function readTime(key: symbol): number | undefined {
    const stored = environment().db().get(key);
    return stored === undefined ? undefined : Buffer.from(stored).readDoubleBE();
  }

  return {
    first,
    bytes: () => bytes,
    firstAt: () => (firstAt ??= { known: readTime(firstAtKey) }).known,
    readNext() {
      for (const last of environment().db().getKeys({ reverse: true, limit: 1 })) return Number(last) + 1;
      return first;
    },
    peek: (position) => environment().db().getBinaryFast(position) as Uint8Array | undefined,
    async append(position, records, now) {
      const isFirst = position === first;
      await environment().write((db) => {
        const writes = records.map((record, i) => (db as unknown as Appendable).put(position + i, record, { append: true }));
        if (isFirst) writes.push(db.put(firstAtKey, encodeTime(now)));
        return writes;
      });
      if (isFirst) firstAt = { known: now };
      bytes = measure();
    },
    async probe(now) {
      await environment().write((db) => [db.put(probeKey, encodeTime(now))]);
      if (readTime(probeKey) !== now) throw new Error(`${path} does not give back what was written`);
    },
    async reopen() {
      await environment().reopen();
      bytes = measure();
    },
    async release() {
      const used = opened;
      opened = undefined;
      await used?.close();
    },
    async close() {
      isClosed = true;
      await opened?.close();
    },
  };
}

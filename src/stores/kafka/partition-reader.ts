import type { LogRecord } from "../../contracts/event-log.ts";
import { createRecordKeeper } from "../log/keep-records.ts";
import type { Page } from "./page-cache.ts";
import { planFetches } from "./plan-fetches.ts";
import { createPageWalk, pageBytes, type WalkDeps } from "./walk-pages.ts";

export interface PartitionReader {
  scan(from: number, recordsMax: number, visit: (position: number, bytes: Uint8Array) => void): Promise<number>;
  read(from: number, recordsMax: number, bytesMax: number): Promise<LogRecord[]>;
  readAt(positions: readonly number[]): Promise<LogRecord[]>;
}

/** Reads one partition by pages, which the cache keeps: what was scanned is asked for again when it is due. */
export function createPartitionReader(deps: WalkDeps): PartitionReader {
  const { shard, places } = deps;
  const { pageAt, walk } = createPageWalk(deps);
  const keep = createRecordKeeper();

  function recordAt(page: Page | undefined, position: number): LogRecord {
    const bytes = page?.records[position - page.first];
    if (bytes === undefined) {
      const { head } = places.of(shard);
      throw new RangeError(`the log has no position ${position}${position >= head ? ` yet, its head is ${head}` : ": it was dropped"}`);
    }
    return { position, bytes: keep(bytes) };
  }

  return {
    async scan(from, recordsMax, visit) {
      let left = recordsMax;
      let next = from;
      for await (const { page, position, end } of walk(from)) {
        next = Math.min(end, position + left);
        for (let at = position; at < next; at++) visit(at, page.records[at - page.first] as Buffer);
        left -= next - position;
        if (left <= 0) break;
      }
      return next;
    },
    async read(from, recordsMax, bytesMax) {
      const found: LogRecord[] = [];
      let bytes = 0;
      for await (const { page, position, end } of walk(from)) {
        for (let at = position; at < end; at++) {
          if (found.length >= recordsMax || bytes >= bytesMax) return found;
          const record = recordAt(page, at);
          bytes += record.bytes.length;
          found.push(record);
        }
        if (found.length >= recordsMax || bytes >= bytesMax) break;
      }
      return found;
    },
    async readAt(positions) {
      const found = new Map<number, LogRecord>();
      for (const { first, bytesMax, wanted } of planFetches(positions, places.of(shard).recordBytes, pageBytes)) {
        let page = await pageAt(first, bytesMax);
        for (const position of wanted) {
          if (page !== undefined && position >= page.first + page.records.length) page = await pageAt(position, bytesMax);
          found.set(position, recordAt(page, position));
        }
      }
      return positions.map((position) => found.get(position) as LogRecord);
    },
  };
}

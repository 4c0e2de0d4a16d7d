import type { EventLog, LogRecord } from "../contracts/event-log.ts";

interface Kept extends LogRecord {
  appendedAt: number;
}

/** An event log in memory with the manners of the real ones, for tests that need no durability. After `close` it refuses. */
export function createMemoryLog({ logId = "memory", shards = [0], now = Date.now }: { logId?: string; shards?: number[]; now?: () => number } = {}): EventLog {
  const kept = new Map<number, { records: Kept[]; head: number }>(shards.map((shard) => [shard, { records: [], head: 0 }]));
  let open = true;

  function shardOf(shard: number): { records: Kept[]; head: number } {
    const found = kept.get(shard);
    if (!open) throw new Error("the log is closed");
    if (!found) throw new Error(`the log has no shard ${shard}`);
    return found;
  }

  return {
    logId,
    shards,
    async append(shard, records) {
      const to = shardOf(shard);
      const first = to.head;
      // Copied, because a writer may reuse its buffer once a real log has answered.
      for (const bytes of records) to.records.push({ position: to.head++, bytes: Uint8Array.from(bytes), appendedAt: now() });
      return first;
    },
    async read(shard, from, recordsMax, bytesMax) {
      let bytes = 0;
      const found = shardOf(shard).records.filter(({ position }) => position >= from).slice(0, recordsMax);
      const end = found.findIndex((record) => (bytes += record.bytes.length) >= bytesMax);
      return end < 0 ? found : found.slice(0, end + 1);
    },
    async scan(shard, from, recordsMax, visit) {
      const found = shardOf(shard).records.filter(({ position }) => position >= from).slice(0, recordsMax);
      for (const { position, bytes } of found) visit(position, bytes);
      return (found.at(-1)?.position ?? from - 1) + 1;
    },
    async readAt(shard, positions) {
      const { records } = shardOf(shard);
      return positions.map((position) => {
        const record = records.find((candidate) => candidate.position === position);
        if (!record) throw new Error(`position ${position} of shard ${shard} was dropped or never written`);
        return record;
      });
    },
    head: (shard) => shardOf(shard).head,
    async dropBelow(shard, position) {
      const from = shardOf(shard);
      from.records = from.records.filter((record) => record.position >= position);
    },
    stats() {
      const records = [...kept.values()].flatMap((shard) => shard.records);
      const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
      return { bytes, oldestAt: records.length > 0 ? Math.min(...records.map((record) => record.appendedAt)) : undefined };
    },
    async check() {
      if (!open) throw new Error("the log is closed");
    },
    async close() {
      open = false;
    },
  };
}

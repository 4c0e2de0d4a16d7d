/** What is known of a partition: its oldest position, the one its next record gets, and about how large a record is. */
export interface Place {
  oldest: number;
  head: number;
  /** Append time of the oldest record. */
  oldestAt: number | undefined;
  recordBytes: number;
}

/** The log's positions begin at 1, as those of the local log do; Kafka's offsets begin at 0. */
export const toPosition = (offset: number | bigint): number => Number(offset) + 1;
export const toOffset = (position: number): number => position - 1;

const recordBytesAtFirst = 1000;
const weightOfNew = 0.1;

/** Learns about partitions from whatever passes by: appends, reads, and looks from time to time. Heads and starts only grow. */
export interface Places {
  of(shard: number): Place;
  sawHead(shard: number, head: number): void;
  sawOldest(shard: number, oldest: number): void;
  sawOldestAt(shard: number, at: number | undefined): void;
  sawRecords(shard: number, count: number, bytes: number): void;
  /** About the size of all that is kept. Brokers give space back later, and tell only those who may ask about their disks. */
  bytes(): number;
  oldestAt(): number | undefined;
}

export function createPlaces(shards: readonly number[]): Places {
  const places = new Map<number, Place>(
    shards.map((shard) => [shard, { oldest: 1, head: 1, oldestAt: undefined, recordBytes: recordBytesAtFirst }]));

  function of(shard: number): Place {
    const place = places.get(shard);
    if (place === undefined) throw new RangeError(`the log has no shard ${shard}, only ${shards.join(", ")}`);
    return place;
  }

  return {
    of,
    sawHead(shard, head) {
      const place = of(shard);
      place.head = Math.max(place.head, head);
    },
    sawOldest(shard, oldest) {
      const place = of(shard);
      place.oldest = Math.max(place.oldest, oldest);
      place.head = Math.max(place.head, oldest);
    },
    sawOldestAt(shard, at) {
      of(shard).oldestAt = at;
    },
    sawRecords(shard, count, bytes) {
      const place = of(shard);
      if (count > 0) place.recordBytes += (bytes / count - place.recordBytes) * weightOfNew;
    },
    bytes: () => [...places.values()].reduce((sum, { head, oldest, recordBytes }) => sum + Math.round((head - oldest) * recordBytes), 0),
    oldestAt() {
      const times = [...places.values()].filter(({ head, oldest }) => head > oldest).flatMap(({ oldestAt }) => oldestAt ?? []);
      return times.length > 0 ? Math.min(...times) : undefined;
    },
  };
}

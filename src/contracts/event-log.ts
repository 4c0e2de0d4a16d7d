/** A record of the log with its position. Positions of a shard grow by one and are never given twice. */
export interface LogRecord {
  position: number;
  bytes: Uint8Array;
}

export interface LogStats {
  /** About what is kept. */
  bytes: number;
  /** Append time of the oldest record still kept, or undefined when the log is empty. */
  oldestAt: number | undefined;
}

/**
 * Accepted events, durable before the 2xx. The local log is LMDB, its twin Apache Kafka.
 * A shard is what one worker owns at a time (a Kafka partition); the local log has one, number 0.
 */
export interface EventLog {
  /** Made when the log was created; with the shard it names the partition in the state database. */
  readonly logId: string;
  readonly shards: readonly number[];
  /**
   * Appends all or nothing and resolves with the first position once the records survive `kill -9` and power loss. Rejected, nothing is
   * kept in the local log; a broker that does not answer may have kept all of it.
   */
  append(shard: number, records: Uint8Array[]): Promise<number>;
  /**
   * Records from `from` on (0: from the oldest), in order, up to `recordsMax` and about `bytesMax`. An empty answer means the head is
   * reached.
   */
  read(shard: number, from: number, recordsMax: number, bytesMax: number): Promise<LogRecord[]>;
  /**
   * The same without keeping them: `visit` sees each record's bytes, which hold only during the call. Resolves with the position
   * to go on from, which is `from` or beyond; the same as before means that the head is reached.
   */
  scan(shard: number, from: number, recordsMax: number, visit: (position: number, bytes: Uint8Array) => void): Promise<number>;
  /** The records at these positions, in the order asked for; one that was dropped is an error. */
  readAt(shard: number, positions: number[]): Promise<LogRecord[]>;
  /** The position that the next record will get, as far as this process knows: others may append too. */
  head(shard: number): number;
  /** Lets go of what lies below `position`, not at once and not to the last record. */
  dropBelow(shard: number, position: number): Promise<void>;
  stats(): LogStats;
  /** Throws when the log cannot be written or read. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Which positions of a log partition are in state: all below the mark, and those whose bit is set (base64, bit n stands for mark + n). */
export interface Mark {
  /** Number of the partition in the state database; 0 stands for system events, whose positions are numbers of the outbox. */
  partition: number;
  lowWater: number;
  doneAbove: string;
}

/** An earlier backup, of which another one holds only what came after it. */
export interface Base {
  id: string;
  place: string;
  marks: Mark[];
}

export type BackupPart = "state" | "held" | "events" | "log";

/** A file of a backup: whole lines, or records of the log, compressed with Zstandard. */
export interface BackupFile {
  path: string;
  part: BackupPart;
  /** Of which table; for the log the number of the shard. */
  of: string;
  rows: number;
  bytes: number;
  bytesRaw: number;
  /** Of the file as it is, hex. */
  sha256: string;
}

interface Migration {
  version: number;
  name: string;
  checksum: string;
}

export interface StateTable {
  name: string;
  columns: string[];
}

/** A table of history: names and types of its columns. */
export interface HistoryTable {
  name: string;
  columns: [name: string, type: string][];
}

/** What a backup is about, known before its files. */
export interface BackupPlan {
  format: 1;
  id: string;
  /** Which installation's; a restored one is another. */
  place: string;
  tributary: string;
  /** When it was begun: everything accepted before is in it. ISO-8601. */
  startedAt: string;
  /** Id of the backup of which it holds only what came after; null when it holds everything. */
  base: string | null;
  /** Fingerprint of the pepper, hex. */
  pepper: string;
  marks: Mark[];
  /** Ids of all its event logs: a restored place must have another one. */
  logs: string[];
  migrations: { postgres: Migration[]; clickhouse: Migration[] };
  /** In an order in which they can be filled. */
  tables: StateTable[];
  sequences: { name: string; lastValue: number; large: boolean }[];
  history: HistoryTable[];
  /** Rows of history it holds. */
  events: number;
}

export interface Manifest extends BackupPlan {
  finishedAt: string;
  files: BackupFile[];
}

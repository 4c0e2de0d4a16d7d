import type { RowWriter } from "./row-binary.ts";

/** A column and its type, as in `create table`. */
export type ColumnType = readonly [name: string, type: string];

/** The history database (ClickHouse): embedded chdb and a remote server are driven by the same client. */
export interface History {
  /**
   * Rows of a SELECT, values bound as `{name:Type}`. Integers come as numbers (keep them below 2^53), decimals as strings;
   * a UInt128 must be read through `toString(…)`. The whole result is held in memory: page what has no bound.
   */
  query<Row>(text: string, params?: Record<string, unknown>): Promise<Row[]>;
  /** Inserts JSON rows and resolves when they are durable. A batch may land in several parts, each all or nothing. */
  insert(table: string, rows: object[]): Promise<void>;
  /** The same for rows that `write` writes column by column, which costs either side a fraction of JSON rows. */
  insertBinary<T>(table: string, columns: readonly ColumnType[], items: readonly T[], write: (row: RowWriter, item: T) => void): Promise<void>;
  /**
   * Rows of a SELECT as TabSeparated text, without holding them in memory: chunk by chunk, not always whole lines. Ends with an
   * error, or with too few rows where the server can no longer say one: compare their number with a `count()`.
   */
  streamText(text: string, params?: Record<string, unknown>): AsyncIterable<Uint8Array>;
  /** Inserts rows of TabSeparated text. */
  insertText(table: string, columns: readonly ColumnType[], rows: Uint8Array): Promise<void>;
  /** DDL and the like. */
  command(text: string, params?: Record<string, unknown>): Promise<void>;
  /** Throws when the database does not answer, or something failed and it cannot write. */
  check(): Promise<void>;
  close(): Promise<void>;
}

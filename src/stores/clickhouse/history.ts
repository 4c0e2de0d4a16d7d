import type { RowWriter } from "./row-binary.ts";

/** A column and its type, as in `create table`. */
export type ColumnType = readonly [name: string, type: string];

export interface QueryOptions {
  /** On a cluster: may be answered by a copy that lacks the latest rows. For what is shown, never for what is decided. */
  mayLag?: boolean;
}

/** Who makes an insert, so that it can be told later from others, and what it brings. */
export interface InsertOrigin {
  of: string;
  /** The same when the same rows are inserted again, another for others. */
  token(): string;
}

/** The history database (ClickHouse): embedded chdb and a remote server are driven by the same client. */
export interface History {
  /**
   * Rows of a SELECT, values bound as `{name:Type}`. Integers come as numbers (keep them below 2^53), decimals as strings;
   * a UInt128 must be read through `toString(…)`. The whole result is held in memory: page what has no bound.
   */
  query<Row>(text: string, params?: Record<string, unknown>, options?: QueryOptions): Promise<Row[]>;
  /** Inserts JSON rows and resolves when they are durable. A batch may land in several parts, each all or nothing. */
  insert(table: string, rows: object[]): Promise<void>;
  /** The same for rows that `write` writes column by column, which costs either side a fraction of JSON rows. */
  insertBinary<T>(table: string, columns: readonly ColumnType[], items: readonly T[], write: (row: RowWriter, item: T) => void, origin?: InsertOrigin): Promise<void>;
  /**
   * Rows of a SELECT as TabSeparated text, without holding them in memory: chunk by chunk, not always whole lines. Ends with an
   * error, or with too few rows where the server can no longer say one: compare their number with a `count()`.
   */
  streamText(text: string, params?: Record<string, unknown>): AsyncIterable<Uint8Array>;
  /** Inserts rows of TabSeparated text. */
  insertText(table: string, columns: readonly ColumnType[], rows: Uint8Array): Promise<void>;
  /** Resolves when none of the inserts that anybody has made in this name can add rows any more. */
  settle(of: string): Promise<void>;
  /** Deletes rows of a table for good. */
  deleteRows(table: string, condition: string, params: Record<string, unknown>): Promise<void>;
  /** A statement that defines or changes a table; on a cluster it is brought into the form for it. */
  define(statement: string): Promise<void>;
  /** Any other statement, as it stands. */
  command(text: string, params?: Record<string, unknown>): Promise<void>;
  /** Throws when the database does not answer, or something failed and it cannot write. */
  check(): Promise<void>;
  close(): Promise<void>;
}

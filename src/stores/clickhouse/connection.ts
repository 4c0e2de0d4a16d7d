import type { ClickHouseClient, ClickHouseSettings } from "@clickhouse/client";
import type { ColumnType } from "./history.ts";

/** How rows are written: binary where we make them, text where they come as they once went. */
export type RowFormat = "RowBinary" | "TabSeparated";

/** An open database, embedded or a server. */
export interface Connection {
  reader: ClickHouseClient;
  writer: ClickHouseClient;
  /** For a query, beside what holds for all; none where settings belong to the connection. */
  settingsOf(query: { mayLag: boolean }): ClickHouseSettings | undefined;
  insertJson(table: string, rows: object[], call: InsertCall): Promise<void>;
  /** A chunk may change when the next one is asked for. */
  insertRows(table: string, columns: readonly ColumnType[], chunks: () => Iterable<Buffer>, format: RowFormat, call: InsertCall): Promise<void>;
  streamText(text: string, params?: Record<string, unknown>): AsyncIterable<Uint8Array>;
  /** The statements of a table's definition as they are here: on a cluster there are more of them. */
  define(statement: string): string[];
  /** Begins a statement that deletes rows of a table. */
  deleteFrom(table: string): string;
  /** Ends what runs under such ids and waits until it has ended. Undefined where an insert that failed has ended. */
  kill: ((condition: string) => Promise<void>) | undefined;
}

/** How an insert is known to a server. */
export interface InsertCall {
  /** Of the statement. */
  id: string;
  /** The same for the same rows: where tables are replicated, the second of two is dropped. */
  token(): string;
}

/** The same for every query: bounded memory and threads, exact numbers, inserts that are durable when answered. */
export const querySettings: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 0,
  input_format_parallel_parsing: 0,
  input_format_json_throw_on_bad_escape_sequence: 0,
  max_partitions_per_insert_block: "0",
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_decimals: 1,
  max_memory_usage: "1000000000",
  max_bytes_before_external_group_by: "300000000",
  max_bytes_before_external_sort: "300000000",
  max_threads: 2,
  max_insert_threads: "1",
  join_use_nulls: 0,
  prefer_column_name_to_alias: 1,
};

export const namesOf = (columns: readonly ColumnType[]): string => columns.map(([name]) => name).join(", ");

/** The history database (ClickHouse): embedded chdb and a remote server are driven by the same client. */
export interface History {
  /** Rows of a SELECT, values bound as `{name:Type}`. 64-bit integers come as numbers, decimals and UInt128 as strings. */
  query<Row>(text: string, params?: Record<string, unknown>): Promise<Row[]>;
  /** The same, row by row in chunks, for results of any size. */
  stream<Row>(text: string, params?: Record<string, unknown>): AsyncIterable<Row[]>;
  /** Inserts JSON rows in one block and resolves when they are durable. */
  insert(table: string, rows: object[]): Promise<void>;
  /** DDL and the like. */
  command(text: string, params?: Record<string, unknown>): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

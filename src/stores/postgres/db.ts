import type { Tx } from "../../contracts/tx.ts";

export type { Tx };

/** Runs SQL with bound values (`$1`, …). Rows are plain objects; bigint and numeric columns come as strings unless cast. */
export interface Queries {
  query<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

/** A connection of one's own, without limits of time: for work that reads or writes whole tables. */
export interface Session extends Queries {
  /** The bytes that `COPY … TO STDOUT` gives; nothing else may be asked until they are read to their end. */
  copyOut(statement: string): AsyncIterable<Buffer>;
  /** Gives `COPY … FROM STDIN` its bytes. */
  copyIn(statement: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

/** The state database. */
export interface Db extends Queries {
  /**
   * Runs `work` in one transaction (READ COMMITTED) and commits. Retried from the start on deadlock (40P01) and
   * serialization failure (40001), so `work` must have no effect outside the transaction.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs `work` on a connection of its own, without limits of time. */
  session<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** The queries of an open transaction. */
  in(tx: Tx): Queries;
  /** Throws when the database does not answer. */
  check(): Promise<void>;
  close(): Promise<void>;
}

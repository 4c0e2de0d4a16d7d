import type pg from "pg";
import type { Queries } from "./db.ts";

/** Thrown when a handle outlives its transaction. */
export function refuseEnded(): never {
  throw new Error("This transaction is not open any more, or belongs to another database.");
}

/**
 * The queries of one transaction: one connection, so one at a time, in the order they were asked for. After `end` none is
 * sent any more; otherwise one that still waited when another failed would run after the rollback, outside the transaction.
 */
export function createTransactionQueries(client: pg.PoolClient): Queries & { end(): Promise<void> } {
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();

  async function send<Row>(text: string, values: unknown[] | undefined): Promise<Row[]> {
    if (ended) refuseEnded();
    return (await client.query(text, values)).rows as Row[];
  }

  return {
    query<Row>(text: string, values?: unknown[]) {
      const mine = last.then(() => send<Row>(text, values));
      last = mine.catch(() => undefined);
      return mine;
    },
    async end() {
      ended = true;
      await last;
    },
  };
}

import type { Db } from "./db.ts";
import { isContention, isOutage } from "./sqlstates.ts";

/** What may be a moment old and is only read. */
export type ReadDb = Pick<Db, "query" | "transaction" | "in">;

/** So long a replica that failed is left alone: waiting for it would slow every read down. */
const restMs = 5000;

/**
 * Reads from a replica, and from the primary while the replica is away or takes a read back because of what the primary did
 * (SQLSTATE 40001). A transaction is run on one of the two, or from its start on the other.
 */
export function preferReplica(replica: Db, primary: Db, nowMs: () => number): ReadDb {
  let restsUntil = 0;
  const onPrimary = new WeakSet<object>();

  async function read<T>(work: (db: Db) => Promise<T>): Promise<T> {
    if (nowMs() < restsUntil) return await work(primary);
    try {
      return await work(replica);
    } catch (error) {
      if (!isOutage(error) && !isContention(error)) throw error;
      if (isOutage(error)) restsUntil = nowMs() + restMs;
      return await work(primary);
    }
  }

  return {
    query: <Row>(text: string, values?: unknown[]) => read((db) => db.query<Row>(text, values)),
    transaction: (work) =>
      read((db) =>
        db.transaction((tx) => {
          if (db === primary) onPrimary.add(tx);
          return work(tx);
        })),
    in: (tx) => (onPrimary.has(tx) ? primary : replica).in(tx),
  };
}

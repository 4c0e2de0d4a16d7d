import { ApiError } from "../../core/errors.ts";
import type { Db } from "./db.ts";
import { isOutage } from "./sqlstates.ts";

/** A database that may not be there yet, or not now: calls then fail with `state_unavailable` (503), and work again later. */
export interface LateDb extends Db {
  open(db: Db): void;
}

export function createLateDb(): LateDb {
  let opened: Db | undefined;
  const db = (): Db => {
    if (!opened) throw new ApiError("starting", "the state database is starting", { retryAfterS: 1 });
    return opened;
  };
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error)) throw error;
      throw new ApiError("state_unavailable", "the state database does not answer", { retryAfterS: 5, cause: error });
    }
  };
  return {
    open(real) {
      opened = real;
    },
    query: (text, values) => guard(() => db().query(text, values)),
    transaction: (work) => guard(() => db().transaction(work)),
    session: (work) => guard(() => db().session(work)),
    in: (tx) => db().in(tx),
    check: () => guard(() => db().check()),
    async close() {
      await opened?.close();
    },
  };
}

import { ApiError } from "../../core/errors.ts";
import { isHistoryAway } from "./is-away.ts";
import type { History } from "./history.ts";

/** A history database that is opened after the door: until then calls fail with `starting` (503). */
export interface LateHistory extends History {
  open(history: History): void;
}

export function createLateHistory(): LateHistory {
  let opened: History | undefined;
  const history = (): History => {
    if (!opened) throw new ApiError("starting", "the history database is starting", { retryAfterS: 1 });
    return opened;
  };
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!isHistoryAway(error)) throw error;
      throw new ApiError("history_unavailable", "the history database does not answer", { retryAfterS: 5, cause: error });
    }
  };
  return {
    open(real) {
      opened = real;
    },
    query: (text, params, options) => guard(() => history().query(text, params, options)),
    insert: (table, rows) => guard(() => history().insert(table, rows)),
    insertBinary: (table, columns, items, write, origin) => guard(() => history().insertBinary(table, columns, items, write, origin)),
    async *streamText(text, params) {
      yield* history().streamText(text, params);
    },
    insertText: (table, columns, rows) => guard(() => history().insertText(table, columns, rows)),
    settle: (of) => guard(() => history().settle(of)),
    deleteRows: (table, condition, params) => guard(() => history().deleteRows(table, condition, params)),
    define: (statement) => guard(() => history().define(statement)),
    command: (text, params) => guard(() => history().command(text, params)),
    check: () => guard(() => history().check()),
    async close() {
      await opened?.close();
    },
  };
}

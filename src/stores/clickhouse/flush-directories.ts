import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { flush } from "../log/segment-directories.ts";
import type { History } from "./history.ts";

/**
 * The embedded engine with inserts that outlive a power cut. It flushes a part's files and its directory, but not the directory
 * of the table, in which the part gets its name (only newer releases of ClickHouse do, with `fsync_part_directory`): a part
 * could be there under its temporary name afterwards, and is removed then. So that directory is flushed after each insert, and
 * all of them now, for parts that a killed process had named.
 */
export async function flushDirectories(history: History, path: string, database: string): Promise<History> {
  const tables = join(path, "data", database);
  for (const table of await readdir(tables)) await flush(join(tables, table));
  return {
    ...history,
    async insert(table, rows) {
      await history.insert(table, rows);
      if (rows.length > 0) await flush(join(tables, table));
    },
    async insertBinary(table, columns, items, write, origin) {
      await history.insertBinary(table, columns, items, write, origin);
      if (items.length > 0) await flush(join(tables, table));
    },
    async insertText(table, columns, rows) {
      await history.insertText(table, columns, rows);
      if (rows.length > 0) await flush(join(tables, table));
    },
  };
}

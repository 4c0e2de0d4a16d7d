import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectHistory } from "../stores/clickhouse/connect.ts";
import type { History } from "../stores/clickhouse/history.ts";
import { migrateHistory } from "../stores/clickhouse/migrate.ts";

/** A migrated history database of its own for a test file. The engine takes one directory per process, and each file has its process. */
export async function openTestHistory(): Promise<{ history: History; drop(): Promise<void> }> {
  const path = mkdtempSync(join(tmpdir(), "tributary-history-"));
  const history = await connectHistory({ at: { path }, database: "test" });
  await migrateHistory(history, new URL("../../migrations/clickhouse/", import.meta.url));
  return {
    history,
    async drop() {
      await history.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

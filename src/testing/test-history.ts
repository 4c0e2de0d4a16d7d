import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultReplicaName, defaultReplicaPath } from "../stores/clickhouse/cluster-ddl.ts";
import { connectHistory } from "../stores/clickhouse/connect.ts";
import type { History } from "../stores/clickhouse/history.ts";
import { migrateHistory } from "../stores/clickhouse/migrate.ts";
import type { ServerPlace } from "../stores/clickhouse/open-server.ts";

const migrations = new URL("../../migrations/clickhouse/", import.meta.url);
/** Set by `tools/clickhouse.ts`: the tests use a server in place of the engine in their own process. */
const url = process.env["TEST_CLICKHOUSE_URL"] || undefined;
const cluster = process.env["TEST_CLICKHOUSE_CLUSTER"] || undefined;

export interface TestHistory {
  history: History;
  drop(): Promise<void>;
}

/** A migrated history database of its own for a test file. */
export const openTestHistory = (): Promise<TestHistory> => (url === undefined ? openOwnEngine() : openOnServer({ url, ...(cluster !== undefined && { cluster: clusterOf(cluster) }) }));

export const clusterOf = (name: string): NonNullable<ServerPlace["cluster"]> => ({ name, replicaPath: defaultReplicaPath, replicaName: defaultReplicaName });

/** The engine takes one directory per process, and each test file has its process. */
async function openOwnEngine(): Promise<TestHistory> {
  const path = mkdtempSync(join(tmpdir(), "tributary-history-"));
  const history = await connectHistory({ at: { path }, database: "test" });
  await migrateHistory(history, migrations);
  return {
    history,
    async drop() {
      await history.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** A database on a server. */
async function openOnServer(at: ServerPlace): Promise<TestHistory> {
  const database = `test_${randomUUID().replaceAll("-", "")}`;
  const history = await connectHistory({ at, database });
  await migrateHistory(history, migrations);
  return {
    history,
    async drop() {
      await history.command(`drop database ${database}`);
      await history.close();
    },
  };
}

import { mkdir, readdir } from "node:fs/promises";
import { BackupError, type Chain } from "../../backup/index.ts";
import type { EventLog } from "../../contracts/event-log.ts";
import { connectHistory } from "../../stores/clickhouse/connect.ts";
import { planMigrations, readMigrations } from "../../stores/migration-plan.ts";
import type { Db } from "../../stores/postgres/db.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { connectPostgres } from "../../stores/postgres/pool.ts";
import { migrations, placeOf } from "../open-stores.ts";
import type { Settings } from "../settings.ts";

/** What may be there: keys are brought before or with the restore, the lock is our own. */
const allowed = new Set(["secrets", "admin-key", "server.lock"]);

/** Makes the data directory, or throws when something is in it. */
export async function requireEmptyDirectory(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const found = (await readdir(dataDir)).filter((name) => !allowed.has(name));
  if (found.length === 0) return;
  const half = found.includes("restoring") ? " (of a restore that did not come to its end)" : "";
  throw new BackupError(`${dataDir} is not empty${half}: it has ${found.slice(0, 5).join(", ")}. Restore into an empty DATA_DIR.`);
}

/** Throws when this release cannot read the backup: its schema is newer, or another one. */
export async function requireKnownSchema({ newest }: Chain): Promise<void> {
  for (const engine of ["postgres", "clickhouse"] as const) {
    try {
      planMigrations(await readMigrations(new URL(`${engine}/`, migrations)), newest.migrations[engine]);
    } catch (error) {
      throw new BackupError(`The backup (of Tributary ${newest.tributary}) cannot be restored by this release: ${(error as Error).message}`, error);
    }
  }
}

/** Throws when the log has events, or belongs to the installation that was backed up, which may still run. */
export function requireStrangeLog({ newest }: Chain, log: EventLog): void {
  if (!newest.logs.includes(log.logId) && log.shards.every((shard) => log.head(shard) === 1)) return;
  throw new BackupError("The event log is not empty, or is the one that was backed up: give the restored place a KAFKA_TOPIC of its own.");
}

/** Throws when an external database has tables already; before anything is written to it. */
export async function requireEmptyDatabases({ databaseUrl, clickhouse }: Pick<Settings, "databaseUrl" | "clickhouse">): Promise<void> {
  if (databaseUrl !== undefined) await requireEmptyState(connectPostgres({ url: databaseUrl }));
  if (clickhouse !== undefined) await requireEmptyHistory(await connectHistory(await placeOf(clickhouse)));
}

async function requireEmptyState(db: Db): Promise<void> {
  const found = await db.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') limit 1",
  ).finally(() => db.close());
  refuseTables("DATABASE_URL", found);
}

async function requireEmptyHistory(history: History): Promise<void> {
  const found = await history.query<{ name: string }>(
    "select name from system.tables where database = currentDatabase() and name <> 'write_probe' limit 1",
  ).finally(() => history.close());
  refuseTables("CLICKHOUSE_URL", found);
}

function refuseTables(setting: string, [table]: { name: string }[]): void {
  if (table) throw new BackupError(`The database of ${setting} is not empty: it has a table ${table.name}. Restore into an empty one.`);
}

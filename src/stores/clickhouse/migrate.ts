import { planMigrations, readMigrations, type AppliedMigration } from "../migration-plan.ts";
import type { History } from "./history.ts";

/**
 * Brings the history database to the newest schema: forward only, in order. ClickHouse has no transactions for DDL, so the
 * statements are written to be repeatable (`if not exists`): a file that was cut short runs again. Refuses a database
 * that a newer release wrote.
 */
export async function migrateHistory(history: History, folder: URL | string, upTo = Infinity): Promise<void> {
  await history.define(
    `create table if not exists schema_migration (version UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC'))
     engine = MergeTree order by version settings fsync_after_insert = 1`,
  );
  const applied = await history.query<AppliedMigration>("select version, name, checksum from schema_migration");
  for (const file of planMigrations((await readMigrations(folder)).filter(({ version }) => version <= upTo), applied)) {
    for (const statement of statementsOf(file.sql)) await history.define(statement);
    await history.insert("schema_migration", [{ version: file.version, name: file.name, checksum: file.checksum, applied_at: Date.now() }]);
  }
}

/** The statements of a migration, without comments. */
export const statementsOf = (sql: string): string[] =>
  sql
    .replace(/^--.*$/gm, "")
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter(Boolean);

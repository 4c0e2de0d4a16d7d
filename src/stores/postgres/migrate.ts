import type { Db, Queries } from "./db.ts";
import { planMigrations, readMigrations, type AppliedMigration, type MigrationFile } from "../migration-plan.ts";

/** One number for all processes that migrate this database: "trib" in ASCII. */
const lockKey = 0x74726962;

/** Waiting for another process, and rewriting a large table, may take longer than a statement of daily work. */
async function lockOut(tx: Queries): Promise<void> {
  await tx.query("set local statement_timeout = 0");
  await tx.query("select pg_advisory_xact_lock($1)", [lockKey]);
}

async function readPlan(tx: Queries, files: MigrationFile[]): Promise<MigrationFile[]> {
  await tx.query(
    "create table if not exists schema_migration " +
      "(version integer primary key, name text not null, applied_at timestamptz not null, checksum text not null)",
  );
  const applied = await tx.query<AppliedMigration>("select version, name, checksum from schema_migration order by version");
  return planMigrations(files, applied);
}

/** Runs the next file, if one is left, and says which it was. */
async function applyNext(db: Db, files: MigrationFile[]): Promise<MigrationFile | undefined> {
  return await db.transaction(async (handle) => {
    const tx = db.in(handle);
    await lockOut(tx);
    const [next] = await readPlan(tx, files);
    if (next === undefined) return undefined;
    await tx.query(next.sql);
    await tx.query("insert into schema_migration (version, name, applied_at, checksum) values ($1, $2, now(), $3)", [
      next.version, next.name, next.checksum,
    ]);
    return next;
  });
}

/**
 * Brings the schema up to the newest file of `folder`, or to version `upTo`, each file in a transaction of its own, safe to call from several
 * processes at once. Returns the names of the files it ran. Throws what `planMigrations` throws.
 */
export async function migratePostgres(db: Db, folder: URL | string, upTo = Infinity): Promise<string[]> {
  const files = (await readMigrations(folder)).filter(({ version }) => version <= upTo);
  const names: string[] = [];
  for (let next = await applyNext(db, files); next !== undefined; next = await applyNext(db, files)) names.push(next.name);
  return names;
}

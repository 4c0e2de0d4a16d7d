import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Chain, restoreHistory, restoreLog, restoreState } from "../../backup/index.ts";
import { rebuildOverrides } from "../../6-activate/index.ts";
import type { Logger } from "../../contracts/logger.ts";
import { createLateHistory } from "../../stores/clickhouse/late-history.ts";
import { migrateHistory } from "../../stores/clickhouse/migrate.ts";
import { finishRestore } from "../../stores/postgres/installation.ts";
import { createLateDb } from "../../stores/postgres/late-db.ts";
import { migratePostgres } from "../../stores/postgres/migrate.ts";
import { lockInstance } from "../instance-lock.ts";
import { openLog } from "../open-log.ts";
import { migrations, openHistory, openState } from "../open-stores.ts";
import type { Settings } from "../settings.ts";
import { applyLaterDeletions } from "./apply-later-deletions.ts";
import { bringKeys } from "./bring-keys.ts";
import { requireEmptyDatabases, requireStrangeLog } from "./check-target.ts";
import { markRestore, unmarkRestore } from "./restoring-mark.ts";

export interface Restore {
  chain: Chain;
  settings: Settings;
  keysDir: string | undefined;
  logger: Logger;
  signal: AbortSignal;
  /** Told after every file; what it throws ends the restore. */
  told(bytes: number): void;
  say(line: string): void;
}

type Closers = (() => unknown)[];

/** Restores into an empty place, whose files are verified. Whatever ends it half-way, no server starts on what is there then. */
export async function restorePlace(restore: Restore): Promise<void> {
  const { settings: { dataDir }, chain, keysDir } = restore;
  const closers: Closers = [await lockInstance(dataDir)];
  try {
    await requireEmptyDatabases(restore.settings);
    await markRestore(dataDir, chain.newest.id);
    if (keysDir !== undefined) await bringKeys(dataDir, keysDir);
    await fill(restore, closers);
    await unmarkRestore(dataDir);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function fill({ chain, settings, logger, signal, told, say }: Restore, closers: Closers): Promise<void> {
  for (const name of ["log", "mirror", "history"]) await mkdir(join(settings.dataDir, name), { mode: 0o700 });
  const log = await openLog({ settings, logger, signal });
  closers.push(() => log.close());
  requireStrangeLog(chain, log);
  const [db, history] = [createLateDb(), createLateHistory()];
  const { postgres, clickhouse } = chain.newest.migrations;
  const state = await openState({ settings, log: logger, signal, schema: newestOf(postgres) }, db, createLateDb());
  closers.push(state.close);
  closers.push(await openHistory({ settings, log: logger, signal, schema: newestOf(clickhouse) }, history));

  await restoreState(chain, db, told);
  await migratePostgres(db, new URL("postgres/", migrations));
  await restoreHistory(chain, history, told);
  await migrateHistory(history, new URL("clickhouse/", migrations));
  await rebuildOverrides({ db, history });
  await applyLaterDeletions(chain.newest, say);
  await restoreLog(chain, log, told);
  await finishRestore(db);
}

const newestOf = (applied: { version: number }[]): number => Math.max(0, ...applied.map(({ version }) => version));

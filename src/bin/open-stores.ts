import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import type { Logger } from "../contracts/logger.ts";
import { describeError } from "../core/describe-error.ts";
import { connectHistory } from "../stores/clickhouse/connect.ts";
import { flushDirectories } from "../stores/clickhouse/flush-directories.ts";
import type { LateHistory } from "../stores/clickhouse/late-history.ts";
import { migrateHistory } from "../stores/clickhouse/migrate.ts";
import { startEmbeddedPostgres } from "../stores/postgres/embedded.ts";
import type { LateDb } from "../stores/postgres/late-db.ts";
import { migratePostgres } from "../stores/postgres/migrate.ts";
import { connectPostgres } from "../stores/postgres/pool.ts";
import { isOutage } from "../stores/postgres/sqlstates.ts";
import type { Settings } from "./settings.ts";

export const migrations = new URL("../../migrations/", import.meta.url);
const retryMs = 2000;
export const database = "tributary";

type StoreSettings = Pick<Settings, "dataDir" | "databaseUrl" | "clickhouseUrl">;

interface Opening {
  settings: StoreSettings;
  log: Logger;
  /** Gives up waiting for a database that does not answer. */
  signal: AbortSignal;
  /** The version of the schema to stop at; the newest when absent. */
  schema?: number;
}

/** Opens PostgreSQL, embedded unless DATABASE_URL names one, and migrates it. Resolves with what shuts it down. */
export async function openState({ settings, log, signal, schema }: Opening, db: LateDb): Promise<() => Promise<void>> {
  const embedded = settings.databaseUrl === undefined ? await startEmbeddedPostgres({ dir: join(settings.dataDir, "postgres"), log }) : undefined;
  const real = connectPostgres(embedded?.settings ?? { url: settings.databaseUrl as string });
  const close = async (): Promise<void> => {
    await real.close();
    await embedded?.stop();
  };
  try {
    await untilReachable("PostgreSQL", () => migratePostgres(real, new URL("postgres/", migrations), schema), isOutage, log, signal);
  } catch (error) {
    await close();
    throw error;
  }
  db.open(real);
  return close;
}

/** Opens ClickHouse, in process unless CLICKHOUSE_URL names a server, and migrates it. */
export async function openHistory({ settings, log, signal, schema }: Opening, history: LateHistory): Promise<() => Promise<void>> {
  const at = settings.clickhouseUrl === undefined ? { path: join(settings.dataDir, "history") } : { url: settings.clickhouseUrl };
  const mayPass = (): boolean => settings.clickhouseUrl !== undefined;
  const real = await untilReachable("ClickHouse", () => connectHistory({ at, database }), mayPass, log, signal);
  try {
    await migrateHistory(real, new URL("clickhouse/", migrations), schema);
  } catch (error) {
    await real.close();
    throw error;
  }
  history.open(at.path === undefined ? real : await flushDirectories(real, at.path, database));
  return () => real.close();
}

/** An external database may come up after us; what is wrong with it otherwise ends the start. */
async function untilReachable<T>(name: string, work: () => Promise<T>, mayPass: (error: unknown) => boolean, log: Logger, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error) || signal.aborted) throw error;
      log.warn({ error: describeError(error) }, `${name} does not answer yet`);
      await sleep(retryMs, undefined, { signal });
    }
  }
}

import { join } from "node:path";
import type { Logger } from "../contracts/logger.ts";
import { describeError } from "../core/describe-error.ts";
import { connectHistory } from "../stores/clickhouse/connect.ts";
import type { LateHistory } from "../stores/clickhouse/late-history.ts";
import { migrateHistory } from "../stores/clickhouse/migrate.ts";
import { startEmbeddedPostgres } from "../stores/postgres/embedded.ts";
import type { LateDb } from "../stores/postgres/late-db.ts";
import { migratePostgres } from "../stores/postgres/migrate.ts";
import { connectPostgres } from "../stores/postgres/pool.ts";
import { isOutage } from "../stores/postgres/sqlstates.ts";
import type { Settings } from "./settings.ts";

const migrations = new URL("../../migrations/", import.meta.url);
const retryMs = 2000;

type StoreSettings = Pick<Settings, "dataDir" | "databaseUrl" | "clickhouseUrl">;

/** Opens PostgreSQL, embedded unless DATABASE_URL names one, and migrates it. Resolves with what shuts it down. */
export async function openState(settings: StoreSettings, db: LateDb, log: Logger): Promise<() => Promise<void>> {
  const embedded = settings.databaseUrl === undefined ? await startEmbeddedPostgres({ dir: join(settings.dataDir, "postgres"), log }) : undefined;
  const real = connectPostgres(embedded?.settings ?? { url: settings.databaseUrl as string });
  await untilReachable(() => migratePostgres(real, new URL("postgres/", migrations)), isOutage, log, "PostgreSQL");
  db.open(real);
  return async () => {
    await real.close();
    await embedded?.stop();
  };
}

/** Opens ClickHouse, in process unless CLICKHOUSE_URL names a server, and migrates it. */
export async function openHistory(settings: StoreSettings, history: LateHistory, log: Logger): Promise<() => Promise<void>> {
  const path = join(settings.dataDir, "history");
  const at = settings.clickhouseUrl === undefined ? { path } : { url: settings.clickhouseUrl };
  const real = await untilReachable(() => connectHistory({ at, database: "tributary" }), () => settings.clickhouseUrl !== undefined, log, "ClickHouse");
  await migrateHistory(real, new URL("clickhouse/", migrations));
  history.open(real);
  return () => real.close();
}

/** An external database may come up after us; what is wrong with it otherwise ends the start. */
async function untilReachable<T>(work: () => Promise<T>, mayPass: (error: unknown) => boolean, log: Logger, name: string): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error)) throw error;
      log.warn({ error: describeError(error) }, `${name} does not answer yet`);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}
